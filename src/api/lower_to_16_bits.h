#pragma once

#include <vector>

#include "graph/graph.h"
#include "quant/override.h"
#include "quant/scheme.h"
#include "quant/target.h"

namespace octet {

/// Rewrites nodes that are told to compute on 16 bits where others have 8, and that have a kernel
/// of 8 bits alone (HardSwish, ReduceSum, PRelu), as `lower` does for targets without one; what
/// they become is told the same. Whether there was any. Throws Code::Usage as `chosen_by_node`
/// does.
bool lower_to_16_bits(Graph& graph, const TargetSet& targets, const Scheme& scheme,
                      std::vector<Override>& overrides);

}  // namespace octet
