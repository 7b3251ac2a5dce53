#pragma once

#include <vector>

#include "graph/quant_table.h"
#include "quant/node_targets.h"
#include "quant/place.h"

namespace octet {

/// The scale nearest to `scale` that divides what the input's zero point stands for (its scale
/// times its zero point) into whole steps; `scale` itself where there is none within 2 %. TFLite's
/// MEAN over an image rounds that number of steps: on other scales all its results are off by the
/// same part of a step, up to a half.
float with_whole_shift(float scale, const QuantParams& input);

/// The groups that begin with what a node of `OutputGrid::WholeShift` makes of integers of another
/// group, in the graph's order. None where scales are powers of two.
std::vector<WholeShift> find_whole_shifts(const Graph& graph, const NodeTargets& targets,
                                          const Placement& placement);

}  // namespace octet
