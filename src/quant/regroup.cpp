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

/// The value that something is known of for this one: where it is a copy, the one that it is a copy
/// of. kAbsent: nothing is known.
template <class Known>
ValueId known_for(const Graph& graph, ValueId id, const Known& known) {
  while (!known.contains(id)) {
    const auto maker = graph.producer(id);
    if (!maker || !is_copy(graph.node(*maker))) return kAbsent;
    id = graph.node(*maker).inputs[0];
  }
  return id;
}

const Sketch& sketch_of(const Graph& graph, const Placement& alone, const Calibration& seen,
                        ValueId id) {
  const ValueId known = known_for(graph, id, alone.group_of);
  if (known == kAbsent) {
    fail(Code::Unsupported, "the value '{}' would have to be rounded, and was not observed",
         graph.value(id).name);
  }
  return seen.sketches.at(alone.group_of.at(known));
}

ChannelMeans means_for(const Graph& graph, const ChannelMeans& seen) {
  ChannelMeans found;
  for (const ValueId id : read_by_products(graph)) {
    const ValueId known = known_for(graph, id, seen);
    if (known != kAbsent) found[id] = seen.at(known);
  }
  return found;
}

}  // namespace

Calibration regroup(const Graph& graph, const Placement& placement, const Placement& alone,
                    const Calibration& seen) {
  Calibration found{.sketches = {}, .means = means_for(graph, seen.means), .images = seen.images};
  for (size_t i = 0; i < placement.groups.size(); ++i) {
    const Group& group = placement.groups[i];
    if (!std::holds_alternative<FromData>(group.rule)) continue;
    Sketch& sketch = found.sketches[i];
    for (const ValueId id : group.members) {
      if (graph.is_constant(id) || placement.exact.contains(id) ||
          placement.clipped_later.contains(id)) {
        continue;
      }
      sketch.merge(sketch_of(graph, alone, seen, id));
    }
    sketch.constants = constants_of(group, graph);
  }
  return found;
}

}  // namespace octet
