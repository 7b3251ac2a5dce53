#pragma once

#include <map>
#include <set>
#include <vector>

#include "graph/graph.h"
#include "graph/quant_table.h"
#include "quant/place.h"

namespace octet {

/// Nodes that make one value of another one, element by element: HardSwish, or the sums and
/// products that it was lowered to. Training computes such a function once for each integer of the
/// source's grid, and looks it up for each element (`look_up`).
struct PointwiseRegion {
  ValueId source = kAbsent;
  ValueId result = kAbsent;
  std::vector<NodeId> nodes;  ///< in order; the last one makes the result
  bool alone = false;         ///< nobody else reads the source
};

/// The regions of a placement, by result: source and result have 8-bit grids, values between them
/// no other reader and no grid that learns. Nodes with a constant of `moving`, which training
/// moves, or with one of more than one number, are in none; values that are `seen` from outside are
/// ends.
std::map<ValueId, PointwiseRegion> find_pointwise_regions(const Graph& graph,
                                                          const Placement& placement,
                                                          const QuantTable& table,
                                                          const std::set<ValueId>& moving,
                                                          const std::set<ValueId>& seen = {});

}  // namespace octet
