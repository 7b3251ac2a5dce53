#include "quant/whole_shift.h"

#include <cmath>
#include <set>

namespace octet {

float with_whole_shift(float scale, const QuantParams& input) {
  constexpr double kFurthest = 0.02;
  const double shift = std::abs(double{input.scale[0]} * input.zero_point[0]);
  const double steps = std::round(shift / double{scale});
  if (steps == 0) return scale;
  const double whole = shift / steps;
  return std::abs(whole / double{scale} - 1) <= kFurthest ? static_cast<float>(whole) : scale;
}

std::vector<WholeShift> find_whole_shifts(const Graph& graph, const NodeTargets& targets,
                                          const Placement& placement) {
  std::vector<WholeShift> found;
  if (placement.scheme.scales != Scheme::Scales::Any) return found;
  std::set<size_t> begun;
  const auto begins = [&](ValueId id) {
    const auto group = placement.group_of.find(id);
    return group != placement.group_of.end() && begun.insert(group->second).second;
  };
  for (const ValueId id : graph.inputs()) begins(id);
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    for (const ValueId out : node.outputs) {
      if (!begins(out) || placement.in_float.contains(id)) continue;
      const size_t group = placement.group_of.at(out);
      const bool own = std::holds_alternative<FromData>(placement.groups[group].rule);
      if (!own || targets.demand(id).output != OutputGrid::WholeShift) continue;
      found.push_back({.group = group, .input = node.inputs[0]});
    }
  }
  return found;
}

}  // namespace octet
