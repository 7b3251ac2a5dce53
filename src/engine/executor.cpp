#include "engine/executor.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstring>

#include "base/fail.h"
#include "base/text.h"

namespace octet {
namespace {

at::ScalarType scalar_type(DType type) {
  switch (type) {
    case DType::Float32: return at::kFloat;
    case DType::Float64: return at::kDouble;
    case DType::Float16: return at::kHalf;
    case DType::BFloat16: return at::kBFloat16;
    case DType::Int8: return at::kChar;
    case DType::UInt8: return at::kByte;
    case DType::Int16: return at::kShort;
    case DType::UInt16: return at::kUInt16;
    case DType::Int32: return at::kInt;
    case DType::Int64: return at::kLong;
    case DType::Bool: return at::kBool;
  }
  fail(Code::Unsupported, "LibTorch has no type for {}", name_of(type));
}

DType dtype_from(at::ScalarType type) {
  for (DType candidate :
       {DType::Float32, DType::Float64, DType::Float16, DType::BFloat16, DType::Int8, DType::UInt8,
        DType::Int16, DType::UInt16, DType::Int32, DType::Int64, DType::Bool}) {
    if (scalar_type(candidate) == type) return candidate;
  }
  fail(Code::Unsupported, "a tensor has a type that ONNX does not know");
}

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
  fail(Code::Model, "{}: cannot be computed on inputs of shape [{}]: {}", describe(node),
       join(shapes), short_reason(error));
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

Executor::Executor(const Graph& graph) : graph_(graph) {
  std::map<ValueId, size_t> last;
  for (NodeId id : graph.order()) {
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
    if (!graph.is_output(value)) works_[index].last_read.push_back(value);
  }
}

std::vector<at::Tensor> Executor::run(std::span<const at::Tensor> inputs,
                                      Interpretation& interpretation, bool training) {
  if (inputs.size() != graph_.inputs().size()) {
    fail(Code::Data, "the network has {} inputs, {} were given", graph_.inputs().size(),
         inputs.size());
  }
  std::map<ValueId, at::Tensor> live;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const ValueId id = graph_.inputs()[i];
    live[id] = interpretation.activation(id, channels_last(inputs[i]));
  }
  const auto fetch = [&](ValueId id) -> at::Tensor {
    if (id == kAbsent) return {};
    if (const auto it = live.find(id); it != live.end()) return it->second;
    return interpretation.constant(id, constants_.at(id));
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
  for (ValueId id : graph_.outputs()) outputs.push_back(fetch(id));
  return outputs;
}

std::map<ValueId, at::Tensor> Executor::parameters() const {
  std::map<ValueId, at::Tensor> found;
  for (const Work& work : works_) {
    const auto& statistics = work.op->statistics.value;
    const auto* weighted = std::get_if<Weighted>(&work.op->quant.value);
    if (!weighted && statistics.empty()) continue;
    for (size_t i = 0; i < work.node->inputs.size(); ++i) {
      const ValueId id = work.node->inputs[i];
      if (!graph_.is_constant(id) || std::ranges::contains(statistics, i)) continue;
      if (constants_.at(id).scalar_type() == at::kFloat) found.emplace(id, constants_.at(id));
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

namespace {

/// Notes the type and shape of every tensor that passes.
class ShapeRecorder final : public Interpretation {
 public:
  at::Tensor activation(ValueId id, const at::Tensor& tensor) override {
    seen[id] = {dtype_from(tensor.scalar_type()), tensor.sizes().vec()};
    return tensor;
  }
  std::map<ValueId, std::pair<DType, Shape>> seen;
};

/// One zero tensor per input, the open first dimension set to `batch`.
std::vector<at::Tensor> zero_inputs(const Graph& graph, int64_t batch) {
  std::vector<at::Tensor> inputs;
  for (ValueId id : graph.inputs()) {
    const Value& input = graph.value(id);
    Shape shape = input.shape;
    for (size_t d = 0; d < shape.size(); ++d) {
      if (d > 0 && shape[d] < 0) {
        fail(Code::Model,
             "the input '{}' has the shape {}: only the first dimension (the batch) may be open; "
             "export it with fixed sizes",
             input.name, shape_text(shape));
      }
      if (shape[d] < 0) shape[d] = batch;
    }
    inputs.push_back(at::zeros(shape, at::TensorOptions().dtype(scalar_type(input.dtype))));
  }
  return inputs;
}

/// Keeps every tensor of 64-bit integers that a node makes.
class IntegerRecorder final : public Interpretation {
 public:
  at::Tensor activation(ValueId id, const at::Tensor& tensor) override {
    if (tensor.scalar_type() == at::kLong) seen[id] = from_torch(tensor);
    return tensor;
  }
  std::map<ValueId, Tensor> seen;
};

}  // namespace

std::map<ValueId, Tensor> computed_integers(const Graph& graph, int64_t batch) {
  const at::NoGradGuard no_grad;
  IntegerRecorder recorder;
  Executor(graph).run(zero_inputs(graph, batch), recorder);
  return std::move(recorder.seen);
}

void infer_shapes(Graph& graph) {
  const at::NoGradGuard no_grad;
  Executor executor(graph);
  const auto record = [&](int64_t batch) {
    ShapeRecorder recorder;
    executor.run(zero_inputs(graph, batch), recorder);
    return recorder.seen;
  };
  auto one = record(1);
  const bool open = std::ranges::any_of(graph.inputs(), [&](ValueId id) {
    return std::ranges::any_of(graph.value(id).shape, [](int64_t d) { return d < 0; });
  });
  const auto two = open ? record(2) : one;
  for (auto& [id, seen] : one) {
    auto& [dtype, shape] = seen;
    const Shape& other = two.at(id).second;
    for (size_t d = 0; d < shape.size() && d < other.size(); ++d) {
      if (shape[d] != other[d]) shape[d] = -1;
    }
    graph.value(id).dtype = dtype;
    graph.value(id).shape = shape;
    graph.value(id).shape_known = true;
  }
}

}  // namespace octet
