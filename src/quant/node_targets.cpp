#include "quant/node_targets.h"

#include <algorithm>

namespace octet {

bool is_copy(const Node& node) {
  return node.op == "Clip" && node.input(1) == kAbsent && node.input(2) == kAbsent;
}

NodeTargets::NodeTargets(const Graph& graph, const TargetSet& targets, std::set<NodeId> wide)
    : graph_(graph), targets_(targets), wide_(std::move(wide)) {
  if (!wide_.empty()) of_16_bits_ = targets.of_16_bits();
}

bool NodeTargets::made_wide(NodeId id) const {
  const auto producer = graph_.producer(graph_.node(id).inputs[0]);
  return producer && wide_.contains(*producer);
}

bool NodeTargets::read_wide(NodeId id) const {
  return std::ranges::any_of(graph_.users(graph_.node(id).outputs[0]),
                             [&](NodeId user) { return wide_.contains(user); });
}

bool NodeTargets::widens(NodeId id) const {
  return !wide_.empty() && is_copy(graph_.node(id)) && read_wide(id) && !made_wide(id);
}

bool NodeTargets::narrows(NodeId id) const {
  return !wide_.empty() && is_copy(graph_.node(id)) && made_wide(id) && !read_wide(id);
}

}  // namespace octet
