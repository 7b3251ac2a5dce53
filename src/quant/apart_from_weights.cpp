#include "quant/apart_from_weights.h"

#include <algorithm>

#include "ops/op_def.h"

namespace octet {

std::set<size_t> groups_apart_from_weights(const Graph& graph, const Placement& placement) {
  std::set<size_t> near;
  const auto add = [&](ValueId id) {
    for (auto group = placement.group_of.find(id); group != placement.group_of.end();) {
      near.insert(group->second);
      const auto* rescaled = std::get_if<Rescaled>(&placement.groups[group->second].rule);
      if (!rescaled) return;
      group = placement.group_of.find(rescaled->source);
    }
  };
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    const auto* rule = std::get_if<Weighted>(&op_of(node).quant.value);
    if (!rule || !graph.is_constant(node.input(rule->weight))) continue;
    add(node.inputs[0]);
    ValueId out = node.outputs[0];
    // Or what an absorbed activation makes of it.
    while (!placement.group_of.contains(out) && graph.users(out).size() == 1) {
      out = graph.node(graph.users(out)[0]).outputs[0];
    }
    add(out);
  }
  std::set<size_t> apart;
  for (size_t i = 0; i < placement.groups.size(); ++i) {
    const GroupRule& rule = placement.groups[i].rule;
    const bool activation =
        std::holds_alternative<FromData>(rule) || std::holds_alternative<FixedGrid>(rule);
    if (activation && !near.contains(i)) apart.insert(i);
  }
  return apart;
}

}  // namespace octet
