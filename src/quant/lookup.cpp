#include "quant/lookup.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "engine/executor.h"
#include "ops/op_def.h"
#include "quant/reconcile.h"

namespace octet {
namespace {

/// A table that the network has itself: the index of a Gather from a row of constants.
bool is_table(const Graph& graph, const Node& node) {
  const Tensor* entries = node.op == "Gather" ? graph.constant_input(node, 0) : nullptr;
  return entries && entries->dtype == DType::Float32 && entries->shape.size() == 1;
}
bool makes_index(const Graph& graph, const Node& node) {
  if (node.op != "Cast" || graph.value(node.outputs[0]).dtype == DType::Float32) return false;
  const auto users = graph.users(node.outputs[0]);
  return users.size() == 1 && is_table(graph, graph.node(users[0]));
}

/// The inputs of a pointwise node that flow, each once; empty where the node is not pointwise.
std::vector<ValueId> flowing_inputs(const Graph& graph, const Node& node) {
  if (makes_index(graph, node)) return {node.inputs[0]};
  if (is_table(graph, node)) {
    const auto index = graph.producer(node.inputs[1]);
    if (index && makes_index(graph, graph.node(*index))) return {node.inputs[1]};
  }
  const OpDef& op = op_of(node);
  const auto* rescale = std::get_if<Rescale>(&op.quant.value);
  const bool fits = std::holds_alternative<Pointwise>(op.quant.value) ||
                    std::holds_alternative<Absorbable>(op.quant.value) ||
                    (rescale && rescale->elementwise);
  std::vector<ValueId> flowing;
  if (!fits || graph.value(node.outputs[0]).dtype != DType::Float32) return flowing;
  for (ValueId in : node.inputs) {
    if (in == kAbsent) continue;
    if (const auto& constant = graph.value(in).constant) {
      if (constant->size() != 1) return {};
    } else if (!std::ranges::contains(flowing, in)) {
      flowing.push_back(in);
    }
  }
  return flowing;
}

class ChainFinder {
 public:
  ChainFinder(const Graph& graph, const NodeTargets& targets, const QuantTable& given,
              const std::set<NodeId>& apart)
      : graph_(graph), targets_(targets), given_(given), apart_(apart) {
    for (ValueId id : graph.outputs()) ++readers_[id];
    for (NodeId id : graph.order()) {
      for (ValueId in : graph.node(id).inputs) ++readers_[in];
    }
  }

  std::map<ValueId, Chain> run() {
    for (NodeId id : graph_.order()) extend(id);
    std::map<ValueId, Chain> wanted = std::move(widening_);
    for (auto& [result, chain] : chains_) {
      trim(chain);
      const bool needed =
          std::ranges::any_of(chain.nodes, [&](NodeId id) { return !targets_.supports(id); });
      if (needed || misses(chain)) wanted.emplace(result, std::move(chain));
    }
    return wanted;
  }

 private:
  /// The kernel of the one node writes another grid than the one that is given.
  bool misses(const Chain& chain) const {
    const Node& node = graph_.node(chain.nodes.back());
    const QuantParams* grid = given_.find(node.outputs[0]);
    return grid && chain.nodes.size() == 1 && !meets(*grid, targets_.demand(chain.nodes.back()));
  }

  /// The chain that makes `value` for its one reader, or what a chain of nothing would be.
  Chain chain_into(ValueId value, std::ptrdiff_t reads) const {
    const auto before = chains_.find(value);
    if (before == chains_.end() || readers_.at(value) != reads || given_.find(value)) {
      return {value, {}};
    }
    return before->second;
  }

  void extend(NodeId id) {
    if (apart_.contains(id) || targets_.narrows(id)) return;
    const Node& node = graph_.node(id);
    if (targets_.widens(id)) {
      widening_[node.outputs[0]] = {node.inputs[0], {id}};
      return;
    }
    const std::vector<ValueId> flowing = flowing_inputs(graph_, node);
    if (flowing.empty()) return;
    std::vector<Chain> before;
    for (const ValueId in : flowing) {
      before.push_back(chain_into(in, std::ranges::count(node.inputs, in)));
    }
    Chain chain{before[0].source, {}};
    for (const Chain& other : before) {
      if (other.source != chain.source) return;  // a function of two numbers
    }
    for (size_t i = 0; i < flowing.size(); ++i) {
      chain.nodes.insert(chain.nodes.end(), before[i].nodes.begin(), before[i].nodes.end());
      if (!before[i].nodes.empty()) chains_.erase(flowing[i]);
    }
    chain.nodes.push_back(id);
    prepend(chain);
    chains_.emplace(node.outputs[0], std::move(chain));
  }

  /// What makes the source joins too, once all that read it are inside.
  void prepend(Chain& chain) {
    const auto before = chains_.find(chain.source);
    if (before == chains_.end() || given_.find(chain.source)) return;
    std::ptrdiff_t reads = 0;
    for (const NodeId id : chain.nodes)
      reads += std::ranges::count(graph_.node(id).inputs, chain.source);
    if (readers_[chain.source] != reads) return;
    Chain head = std::move(before->second);
    chains_.erase(before);
    head.nodes.insert(head.nodes.end(), chain.nodes.begin(), chain.nodes.end());
    chain = std::move(head);
  }

  /// A clip at the head is for the operator before it to take in.
  void trim(Chain& chain) const {
    while (chain.nodes.size() > 1) {
      const Node& head = graph_.node(chain.nodes.front());
      const auto producer = graph_.producer(chain.source);
      if (!std::holds_alternative<Absorbable>(op_of(head).quant.value) || !producer) return;
      const QuantRule& rule = op_of(graph_.node(*producer)).quant.value;
      if (!std::holds_alternative<Weighted>(rule) || given_.find(chain.source)) return;
      chain.source = head.outputs[0];
      chain.nodes.erase(chain.nodes.begin());
    }
  }

  const Graph& graph_;
  const NodeTargets& targets_;
  const QuantTable& given_;
  const std::set<NodeId>& apart_;
  std::map<ValueId, std::ptrdiff_t> readers_;
  std::map<ValueId, Chain> chains_;
  std::map<ValueId, Chain> widening_;
};

}  // namespace

std::map<ValueId, Chain> find_chains(const Graph& graph, const NodeTargets& targets,
                                     const QuantTable& given, const std::set<NodeId>& apart) {
  if (!targets.tables()) return {};
  return ChainFinder(graph, targets, given, apart).run();
}

namespace {

/// The chain's values at every integer of its source's grid.
Tensor chain_values(const Graph& graph, const Chain& chain, const QuantParams& in) {
  const at::NoGradGuard no_grad;
  Tensor reals(DType::Float32, {static_cast<int64_t>(in.high) - in.low + 1});
  for (int32_t q = in.low; q <= in.high; ++q) {
    const auto at = static_cast<size_t>(q - in.low);
    reals.as<float>()[at] = static_cast<float>(q - in.zero_point[0]) * in.scale[0];
  }
  std::map<ValueId, at::Tensor> made{{chain.source, to_torch(reals)}};
  for (NodeId id : chain.nodes) {
    const Node& node = graph.node(id);
    std::vector<at::Tensor> inputs;
    for (ValueId input : node.inputs) {
      inputs.push_back(input == kAbsent           ? at::Tensor()
                       : graph.is_constant(input) ? to_torch(*graph.value(input).constant)
                                                  : made.at(input));
    }
    made[node.outputs[0]] = op_of(node).run.value({node, inputs}).at(0);
  }
  const at::Tensor values = made.at(graph.node(chain.nodes.back()).outputs[0]);
  return from_torch(values.expand({reals.size()}));
}

}  // namespace

Range chain_range(const Graph& graph, const Chain& chain, const QuantParams& in) {
  const Tensor results = chain_values(graph, chain, in);
  Range range;
  for (int32_t q = in.low; q <= in.high; ++q) {
    const float number = results.as<float>()[static_cast<size_t>(q - in.low)];
    if (q != in.zero_point[0] && std::isfinite(number)) range.include(Range{number, number, false});
  }
  return range;
}

std::vector<int32_t> tabulate(const Graph& graph, const Chain& chain, const QuantParams& in,
                              const QuantParams& out) {
  const Tensor results = chain_values(graph, chain, in);
  std::vector<int32_t> entries;
  for (const float real : results.as<float>()) {
    const double steps = std::isnan(real) ? out.zero_point[0]
                                          : std::nearbyint(real / out.scale[0]) + out.zero_point[0];
    entries.push_back(static_cast<int32_t>(
        std::clamp<double>(steps, static_cast<double>(out.low), static_cast<double>(out.high))));
  }
  return entries;
}

}  // namespace octet
