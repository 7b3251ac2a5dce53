#include "quant/regroup.h"

#include <limits>

#include "base/fail.h"
#include "quant/node_targets.h"

namespace octet {

Placement each_alone(const Graph& graph, const Placement& placement) {
  constexpr float kNoBound = std::numeric_limits<float>::infinity();
  Placement alone;
  alone.scheme = placement.scheme;
  for (const auto& [id, unused] : placement.group_of) {
    if (graph.is_constant(id) || graph.value(id).dtype != DType::Float32) continue;
    alone.group_of[id] = alone.groups.size();
    Group group;
    group.members = {id};
    group.rule = FromData{-kNoBound, kNoBound};
    alone.groups.push_back(std::move(group));
  }
  return alone;
}

namespace {

/// The value that is observed for this one: where it is a copy, the one that it is a copy of.
ValueId observed_for(const Graph& graph, const Placement& alone, ValueId id) {
  while (!alone.group_of.contains(id)) {
    const auto maker = graph.producer(id);
    if (!maker || !is_copy(graph.node(*maker))) {
      fail(Code::Unsupported, "the value '{}' would have to be rounded, and was not observed",
           graph.value(id).name);
    }
    id = graph.node(*maker).inputs[0];
  }
  return id;
}

}  // namespace

Calibration regroup(const Graph& graph, const Placement& placement, const Placement& alone,
                    const Calibration& seen) {
  Calibration found{.sketches = {}, .means = seen.means, .images = seen.images};
  for (size_t i = 0; i < placement.groups.size(); ++i) {
    const Group& group = placement.groups[i];
    if (!std::holds_alternative<FromData>(group.rule)) continue;
    Sketch& sketch = found.sketches[i];
    for (const ValueId id : group.members) {
      if (graph.is_constant(id) || placement.exact.contains(id) ||
          placement.clipped_later.contains(id)) {
        continue;
      }
      sketch.merge(seen.sketches.at(alone.group_of.at(observed_for(graph, alone, id))));
    }
    sketch.constants = constants_of(group, graph);
  }
  return found;
}

}  // namespace octet
