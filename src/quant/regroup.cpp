#include "quant/regroup.h"

#include <limits>

#include "base/fail.h"

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

Calibration regroup(const Graph& graph, const Placement& placement, const Placement& alone,
                    const Calibration& seen) {
  Calibration found{.sketches = {}, .images = seen.images};
  for (size_t i = 0; i < placement.groups.size(); ++i) {
    const Group& group = placement.groups[i];
    if (!std::holds_alternative<FromData>(group.rule)) continue;
    Sketch& sketch = found.sketches[i];
    for (const ValueId id : group.members) {
      if (graph.is_constant(id) || placement.exact.contains(id) ||
          placement.clipped_later.contains(id)) {
        continue;
      }
      const auto own = alone.group_of.find(id);
      if (own == alone.group_of.end()) {
        fail(Code::Unsupported, "the value '{}' would have to be rounded, and was not observed",
             graph.value(id).name);
      }
      sketch.merge(seen.sketches.at(own->second));
    }
    sketch.constants = constants_of(group, graph);
  }
  return found;
}

}  // namespace octet
