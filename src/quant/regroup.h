#pragma once

#include "graph/graph.h"
#include "quant/calibrate.h"
#include "quant/place.h"

namespace octet {

// Which values share a grid changes with what stays in float, so sketches of groups serve one
// placement alone. Sketches of single values serve all placements of a network.

/// A placement to observe with (calibrate.h): every computed value that this one gives a grid
/// stands alone, in a group that its data decide.
Placement each_alone(const Graph& graph, const Placement& placement);

/// The sketches of the groups of `placement`, from those that were seen under `alone`: what one
/// look under `placement` would have left, bit for bit, but for the moving average of groups of
/// several values. A copy that `alone` does not have has seen what its source has. Throws
/// Code::Unsupported naming a value that was not observed.
Calibration regroup(const Graph& graph, const Placement& placement, const Placement& alone,
                    const Calibration& seen);

}  // namespace octet
