#include "engine/executor.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <cstring>

#include "base/fail.h"
#include "base/text.h"
#include "ops/element_type.h"

namespace octet {
namespace {

/// The first sentence of an ATen message; the rest is a stack trace.
std::string short_reason(const std::exception& error) {
  if (const auto* torch_error = dynamic_cast<const c10::Error*>(&error)) {
    return first_line(torch_error->what_without_backtrace());
  }
  return first_line(error.what());
}

/// Images and image weights lie channels-last in memory. With a single channel (grey images,
/// depthwise weights) `contiguous` would leave ambiguous strides, from which ATen concludes
/// channels-first for all that follows: these are copied.
at::Tensor channels_last(const at::Tensor& tensor) {
  if (tensor.dim() != 4 || tensor.suggest_memory_format() == at::MemoryFormat::ChannelsLast) {
    return tensor;
  }
  return at::empty_like(tensor, tensor.options(), at::MemoryFormat::ChannelsLast).copy_(tensor);
}

[[noreturn]] void fail_at(const Node& node, std::span<const at::Tensor> inputs,
                          const std::exception& error) {
  std::vector<std::string> shapes;
  for (const auto& input : inputs) {
    shapes.push_back(input.defined() ? shape_text({input.sizes().data(), input.sizes().size()})
                                     : "none");
  }
  const std::string reason = short_reason(error);
  const bool lacking = dynamic_cast<const c10::NotImplementedError*>(&error) ||
                       reason.contains("not implemented for");  // a type without a kernel
  fail(lacking ? Code::Unsupported : Code::Model,
       "{}: cannot be computed on inputs of shape [{}]: {}", describe(node), join(shapes), reason);
}

/// The operator's constants are weights, biases, scales or shifts: not bounds or shapes.
bool learns(const QuantRule& rule) {
  const auto* rescale = std::get_if<Rescale>(&rule);
  return std::holds_alternative<Weighted>(rule) || std::holds_alternative<FloatOnly>(rule) ||
         (rescale && rescale->elementwise);
}

}  // namespace

at::Tensor to_torch(const Tensor& tensor) {
  at::Tensor out = at::empty(tensor.shape, at::TensorOptions().dtype(scalar_type(tensor.dtype)));
  if (!tensor.bytes.empty()) {
    std::memcpy(out.mutable_data_ptr(), tensor.bytes.data(), tensor.bytes.size());
  }
  return out;
}

Tensor from_torch(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.detach().contiguous(at::MemoryFormat::Contiguous);
  Tensor out(dtype_from(plain.scalar_type()), plain.sizes().vec());
  if (!out.bytes.empty()) std::memcpy(out.bytes.data(), plain.const_data_ptr(), out.bytes.size());
  return out;
}

at::Tensor Interpretation::constant(ValueId /*id*/, const at::Tensor& tensor) { return tensor; }
at::Tensor Interpretation::activation(ValueId /*id*/, const at::Tensor& tensor) { return tensor; }
std::vector<at::Tensor> Interpretation::evaluate(const OpDef& op, const OpCall& call) {
  return op.run.value(call);
}

Executor::Executor(const Graph& graph)
    : Executor(graph, {graph.order(), graph.inputs(), graph.outputs()}) {}

Executor::Executor(const Graph& graph, Part part) : graph_(graph), part_(std::move(part)) {
  std::map<ValueId, size_t> last;
  for (NodeId id : part_.nodes) {
    const Node& node = graph.node(id);
    for (ValueId in : node.inputs) {
      if (in == kAbsent) continue;
      if (const auto& constant = graph.value(in).constant) {
        if (constants_.contains(in)) continue;
        constants_.emplace(in, channels_last(to_torch(*constant)));
      } else {
        last[in] = works_.size();
      }
    }
    works_.push_back({&node, &op_of(node), {}});
  }
  for (const auto& [value, index] : last) {
    if (!std::ranges::contains(part_.outputs, value)) works_[index].last_read.push_back(value);
  }
  for (ValueId id : part_.outputs) {
    if (const auto& constant = graph.value(id).constant) {
      constants_.try_emplace(id, to_torch(*constant));
    }
  }
}

std::vector<at::Tensor> Executor::run(std::span<const at::Tensor> inputs,
                                      Interpretation& interpretation, bool training) {
  if (inputs.size() != part_.inputs.size()) {
    fail(Code::Data, "the network has {} inputs, {} were given", part_.inputs.size(),
         inputs.size());
  }
  std::map<ValueId, at::Tensor> live;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const ValueId id = part_.inputs[i];
    live[id] = interpretation.activation(id, channels_last(inputs[i]));
  }
  const auto fetch = [&](ValueId id) -> at::Tensor {
    if (id == kAbsent) return {};
    if (const auto it = live.find(id); it != live.end()) return it->second;
    const auto constant = constants_.find(id);
    if (constant == constants_.end()) {
      fail(Code::Unsupported, "{}: its output '{}' is not supported",
           describe(graph_.node(graph_.producer(id).value())), graph_.value(id).name);
    }
    return interpretation.constant(id, constant->second);
  };
  std::vector<at::Tensor> arguments;
  for (const Work& work : works_) {
    arguments.clear();
    for (ValueId in : work.node->inputs) arguments.push_back(fetch(in));
    std::vector<at::Tensor> results;
    try {
      results = interpretation.evaluate(*work.op, {*work.node, arguments, training});
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {
      fail_at(*work.node, arguments, error);
    }
    for (size_t i = 0; i < results.size() && i < work.node->outputs.size(); ++i) {
      const ValueId out = work.node->outputs[i];
      if (out != kAbsent) live[out] = interpretation.activation(out, results[i]);
    }
    for (ValueId done : work.last_read) live.erase(done);
  }
  std::vector<at::Tensor> outputs;
  for (ValueId id : part_.outputs) outputs.push_back(fetch(id));
  return outputs;
}

std::map<ValueId, at::Tensor> Executor::parameters() const {
  std::map<ValueId, at::Tensor> found;
  for (const Work& work : works_) {
    const auto& statistics = work.op->statistics.value;
    if (!learns(work.op->quant.value)) continue;
    for (size_t i = 0; i < work.node->inputs.size(); ++i) {
      const ValueId id = work.node->inputs[i];
      if (!graph_.is_constant(id) || graph_.value(id).fixed) continue;
      const at::Tensor& constant = constants_.at(id);
      const bool number = constant.dim() == 0 || constant.scalar_type() != at::kFloat;
      if (!number && !std::ranges::contains(statistics, i)) found.emplace(id, constant);
    }
  }
  return found;
}

std::map<ValueId, at::Tensor> Executor::snapshot() const {
  std::map<ValueId, at::Tensor> saved;
  for (const auto& [id, tensor] : constants_) saved.emplace(id, tensor.detach().clone());
  return saved;
}

void Executor::restore(const std::map<ValueId, at::Tensor>& saved) {
  const at::NoGradGuard no_grad;
  for (const auto& [id, tensor] : saved) constants_.at(id).copy_(tensor);
}

void Executor::write_back(Graph& graph) const {
  for (const auto& [id, tensor] : constants_) {
    if (tensor.scalar_type() == at::kFloat) graph.value(id).constant = from_torch(tensor);
  }
}

std::vector<Tensor> evaluate_constant(const Graph& graph, const Node& node) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> inputs;
  for (ValueId id : node.inputs) {
    inputs.push_back(id == kAbsent ? at::Tensor() : to_torch(*graph.value(id).constant));
  }
  try {
    std::vector<Tensor> results;
    for (const auto& result : op_of(node).run.value({node, inputs})) {
      results.push_back(from_torch(result));
    }
    return results;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    fail_at(node, inputs, error);
  }
}

}  // namespace octet
