#include "ops/weight.h"

#include <algorithm>
#include <vector>

#include "ops/op_def.h"

namespace octet {

bool is_weight(const Graph& graph, ValueId id) {
  if (!graph.is_constant(id) || graph.is_output(id)) return false;
  const size_t rank = graph.value(id).shape.size();
  const auto as_weight = [&](NodeId user) {
    const Node& node = graph.node(user);
    const auto* rule = std::get_if<Weighted>(&op_of(node).quant.value);
    return rule && node.input(rule->weight) == id && std::ranges::count(node.inputs, id) == 1 &&
           rule->axis(node, rank) >= 0;
  };
  const std::vector<NodeId> users = graph.users(id);
  return !users.empty() && std::ranges::all_of(users, as_weight);
}

}  // namespace octet
