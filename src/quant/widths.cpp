#include "quant/widths.h"

#include <algorithm>
#include <format>
#include <vector>

#include "ops/op_def.h"
#include "quant/float_parts.h"
#include "quant/lookup.h"

namespace octet {
namespace {

bool holds_floats(const Graph& graph, ValueId id) {
  return id != kAbsent && graph.value(id).dtype == DType::Float32;
}

/// The inputs that carry data on grids, by index: neither parameters, nor weights and biases, whose
/// integers know no width.
std::vector<size_t> inputs_on_grids(const Graph& graph, const Node& node) {
  const OpDef& op = op_of(node);
  const auto* rule = std::get_if<Weighted>(&op.quant.value);
  const bool weighted = rule && graph.is_constant(node.input(rule->weight));
  std::vector<size_t> found;
  for (size_t i = 0; i < node.inputs.size() && i < op.data_inputs.value; ++i) {
    const bool apart = weighted && (i == rule->weight || i == rule->bias);
    if (!apart && holds_floats(graph, node.inputs[i])) found.push_back(i);
  }
  return found;
}

class WidthFinder {
 public:
  WidthFinder(const Graph& graph, const NodeTargets& targets,
              const std::map<NodeId, std::string>& in_float, Io io)
      : graph_(graph), targets_(targets), in_float_(in_float), io_(io) {
    for (const NodeId id : graph.order()) {
      const Node& node = graph.node(id);
      for (const ValueId out : node.outputs) makers_[out] = id;
      if (!has_width(id)) continue;
      for (const size_t i : inputs_on_grids(graph, node)) readers_[node.inputs[i]].push_back(id);
    }
  }

  bool wide(ValueId id) const {
    const auto maker = makers_.find(id);
    if (maker != makers_.end() && has_width(maker->second)) {
      return targets_.wide().contains(maker->second);
    }
    const bool end = maker == makers_.end() ? !graph_.is_constant(id) : graph_.is_output(id);
    const std::vector<NodeId>& readers = readers_of(id);
    return !(end && io_ != Io::Float) && !readers.empty() &&
           std::ranges::all_of(readers,
                               [&](NodeId user) { return targets_.wide().contains(user); });
  }

  /// The nodes with a width that read the value.
  const std::vector<NodeId>& readers_of(ValueId id) const {
    static const std::vector<NodeId> kNone;
    const auto found = readers_.find(id);
    return found == readers_.end() ? kNone : found->second;
  }

 private:
  bool has_width(NodeId id) const {
    const Node& node = graph_.node(id);
    return !in_float_.contains(id) && !is_copy(node) &&
           std::ranges::any_of(node.outputs,
                               [&](ValueId out) { return holds_floats(graph_, out); });
  }

  const Graph& graph_;
  const NodeTargets& targets_;
  const std::map<NodeId, std::string>& in_float_;
  Io io_;
  std::map<ValueId, NodeId> makers_;
  std::map<ValueId, std::vector<NodeId>> readers_;
};

/// A value, and who has to read a copy of it.
struct Border {
  ValueId value;
  std::vector<NodeId> readers;
  bool to_wide = false;
  bool at_end = false;  ///< the copy is the network's output
};

std::vector<Border> borders_of(const Graph& graph, const NodeTargets& targets,
                               const std::map<NodeId, std::string>& in_float, Io io) {
  const WidthFinder finder(graph, targets, in_float, io);
  std::vector<Border> found;
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const auto id = static_cast<ValueId>(i);
    if (!holds_floats(graph, id)) continue;
    const bool wide = finder.wide(id);
    Border border{.value = id,
                  .readers = finder.readers_of(id),
                  .to_wide = !wide,
                  .at_end = wide && io != Io::Float && graph.is_output(id)};
    std::erase_if(border.readers,
                  [&](NodeId user) { return targets.wide().contains(user) == wide; });
    if (!border.readers.empty() || border.at_end) found.push_back(std::move(border));
  }
  return found;
}

/// The value on a grid of the other width; of a constant, its numbers once more.
ValueId copy_of(Graph& graph, const Border& border) {
  const std::string name =
      std::format("{}/int{}", graph.value(border.value).name, border.to_wide ? 16 : 8);
  if (graph.is_constant(border.value)) {
    return graph.add_constant(name, *graph.value(border.value).constant);
  }
  const ValueId copy = graph.add_op("Clip", name, {border.value});
  graph.value(copy).shape = graph.value(border.value).shape;
  graph.value(copy).shape_known = graph.value(border.value).shape_known;
  return copy;
}

void put_copy(Graph& graph, const Border& border) {
  const std::vector<NodeId> all = graph.users(border.value);
  const ValueId copy = copy_of(graph, border);
  const auto let_read = [&](NodeId user, ValueId from, ValueId to) {
    for (const size_t i : inputs_on_grids(graph, graph.node(user))) {
      ValueId& input = graph.node(user).inputs[i];
      if (input == from) input = to;
    }
  };
  if (border.at_end) {
    const NodeId maker = *graph.producer(copy);
    graph.replace_uses(border.value, copy);
    graph.node(maker).inputs[0] = border.value;
    for (const NodeId user : all) {
      if (!std::ranges::contains(border.readers, user)) let_read(user, copy, border.value);
    }
    graph.swap_names(border.value, copy);
    return;
  }
  for (const NodeId user : border.readers) let_read(user, border.value, copy);
}

}  // namespace

std::set<NodeId> nodes_on_16_bits(const Graph& graph, const Scheme& scheme,
                                  const std::map<NodeId, Override>& chosen) {
  if (scheme.activation_bits == 16) return {};
  return asked_for(graph, chosen, Override::Compute::Int16);
}

std::set<ValueId> values_on_16_bits(const Graph& graph, const NodeTargets& targets,
                                    const std::map<NodeId, std::string>& in_float, Io io) {
  std::set<ValueId> found;
  if (targets.wide().empty()) return found;
  const WidthFinder finder(graph, targets, in_float, io);
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const auto id = static_cast<ValueId>(i);
    if (holds_floats(graph, id) && finder.wide(id)) found.insert(id);
  }
  return found;
}

void copy_between_widths(Graph& graph, const TargetSet& targets, const Scheme& scheme,
                         std::vector<Override>& overrides, Io io) {
  const auto chosen = chosen_by_node(graph, overrides);
  const NodeTargets by_node(graph, targets, nodes_on_16_bits(graph, scheme, chosen));
  if (by_node.wide().empty()) return;
  const auto in_float = asked_for(graph, chosen, Override::Compute::Float);
  const auto chains = find_chains(graph, by_node, {}, in_float);
  const FloatParts parts = find_float(graph, by_node, chains, in_float, io);
  for (const Border& border : borders_of(graph, by_node, parts.nodes, io)) {
    if (border.at_end) {  // its name goes to the copy
      const NodeId maker = *graph.producer(border.value);
      overrides.push_back(chosen.at(maker));
      overrides.back().nodes = graph.node(maker).name;
    }
    put_copy(graph, border);
  }
  graph.sort();
}

}  // namespace octet
