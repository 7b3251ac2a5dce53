#include "quant/stretches.h"

#include <algorithm>
#include <map>
#include <ranges>
#include <set>

#include "ops/op_def.h"

namespace octet {
namespace {

/// For every value that the network computes or is given: the place in the order of its last
/// reader; beyond the end for outputs.
std::map<ValueId, size_t> last_reads(const Graph& graph) {
  std::map<ValueId, size_t> last;
  for (size_t i = 0; i < graph.order().size(); ++i) {
    for (const ValueId in : graph.node(graph.order()[i]).inputs) {
      if (in != kAbsent && !graph.is_constant(in)) last[in] = i;
    }
  }
  for (const ValueId out : graph.outputs()) last[out] = graph.order().size();
  return last;
}

bool has_weights(const Graph& graph, const Stretch& stretch) {
  return std::ranges::any_of(stretch.nodes, [&](NodeId id) {
    const auto* rule = std::get_if<Weighted>(&op_of(graph.node(id)).quant.value);
    return rule && graph.is_constant(graph.node(id).input(rule->weight));
  });
}

}  // namespace

std::vector<Stretch> cut_where_narrow(const Graph& graph, const QuantTable& table) {
  const auto last = last_reads(graph);
  std::vector<Stretch> stretches;
  std::set<ValueId> live(graph.inputs().begin(), graph.inputs().end());
  Stretch present{.nodes = {}, .input = graph.inputs().at(0)};
  for (size_t i = 0; i < graph.order().size(); ++i) {
    const NodeId id = graph.order()[i];
    present.nodes.push_back(id);
    for (const ValueId out : graph.node(id).outputs) {
      if (out != kAbsent && last.contains(out)) live.insert(out);
    }
    std::erase_if(live, [&](ValueId value) { return last.at(value) <= i; });
    const bool end = i + 1 == graph.order().size();
    if (!end && (live.size() != 1 || !table.find(*live.begin()))) continue;
    present.output = end ? graph.outputs().at(0) : *live.begin();
    if (!stretches.empty() && !has_weights(graph, present)) {
      auto& before = stretches.back();
      before.nodes.insert(before.nodes.end(), present.nodes.begin(), present.nodes.end());
      before.output = present.output;
    } else {
      stretches.push_back(present);
    }
    present = {.nodes = {}, .input = present.output};
  }
  return stretches;
}

ValueId weight_of(const Graph& graph, NodeId node, const Placement& placement) {
  const auto* rule = std::get_if<Weighted>(&op_of(graph.node(node)).quant.value);
  const ValueId weight = rule ? graph.node(node).input(rule->weight) : kAbsent;
  const auto group = placement.group_of.find(weight);
  if (weight == kAbsent || group == placement.group_of.end()) return kAbsent;
  const bool grid = std::holds_alternative<WeightGrid>(placement.groups[group->second].rule);
  return grid ? weight : kAbsent;
}

std::vector<Stretch> layers_of(const Graph& graph, const Stretch& stretch,
                               const Placement& placement) {
  std::vector<Stretch> layers;
  for (const NodeId id : stretch.nodes) {
    if (weight_of(graph, id, placement) == kAbsent) continue;
    const Node& node = graph.node(id);
    Stretch layer{.nodes = {id}, .input = node.inputs[0], .output = node.outputs[0]};
    const std::vector<NodeId> users = graph.users(layer.output);
    const bool absorbed = std::ranges::contains(placement.absorbed, layer.output);
    if (absorbed && users.size() == 1 && graph.node(users[0]).inputs[0] == layer.output &&
        std::holds_alternative<Absorbable>(op_of(graph.node(users[0])).quant.value)) {
      layer.nodes.push_back(users[0]);
      layer.output = graph.node(users[0]).outputs[0];
    }
    layers.push_back(std::move(layer));
  }
  return layers;
}

Stretch up_to(const Graph& graph, const Stretch& stretch, ValueId output) {
  std::set<ValueId> wanted{output};
  Stretch part{.nodes = {}, .input = stretch.input, .output = output};
  for (const NodeId id : stretch.nodes | std::views::reverse) {
    const Node& node = graph.node(id);
    if (std::ranges::none_of(node.outputs, [&](ValueId out) { return wanted.contains(out); })) {
      continue;
    }
    part.nodes.push_back(id);
    for (const ValueId in : node.inputs) {
      if (in != kAbsent && in != stretch.input) wanted.insert(in);
    }
  }
  std::ranges::reverse(part.nodes);
  return part;
}

}  // namespace octet
