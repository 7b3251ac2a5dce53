#include "api/lower_to_16_bits.h"

#include <algorithm>

#include "engine/executor.h"
#include "passes/passes.h"
#include "quant/widths.h"

namespace octet {
namespace {

/// One node; whether there is another form of it.
bool lower_node(Graph& graph, NodeId id, const Override& told, std::vector<Override>& overrides) {
  const std::string name = graph.node(id).name;
  const std::set<NodeId> before(graph.order().begin(), graph.order().end());
  const auto others = [&](const Node& node) { return node.name != name; };
  lower_operators(graph, others);
  const bool lowered = !std::ranges::contains(graph.order(), id);
  for (const NodeId made : graph.order()) {
    if (before.contains(made)) continue;
    overrides.push_back(told);
    overrides.back().nodes = graph.node(made).name;
  }
  return lowered;
}

}  // namespace

bool lower_to_16_bits(Graph& graph, const TargetSet& targets, const Scheme& scheme,
                      std::vector<Override>& overrides) {
  const auto chosen = chosen_by_node(graph, overrides);
  const NodeTargets by_node(graph, targets, nodes_on_16_bits(graph, scheme, chosen));
  std::vector<NodeId> lacking;
  for (const NodeId id : by_node.wide()) {
    if (!by_node.supports(id)) lacking.push_back(id);
  }
  bool any = false;
  for (const NodeId id : lacking) any |= lower_node(graph, id, chosen.at(id), overrides);
  if (!any) return false;
  graph.remove_dead();
  infer_shapes(graph);
  // What was of such a node alone is of none any more.
  std::erase_if(overrides, [&](const Override& told) {
    return std::ranges::none_of(graph.order(),
                                [&](NodeId id) { return is_of(told, graph, graph.node(id)); });
  });
  return true;
}

}  // namespace octet
