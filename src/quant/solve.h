#pragma once

#include "graph/quant_table.h"
#include "quant/calibrate.h"

namespace octet {

/// The smallest scale that is given out; a constant zero tensor gets it too.
inline constexpr float kSmallestScale = 1e-12F;
/// Biases stay below 2^30 steps, so that a 32-bit accumulator has room for the products.
inline constexpr float kLargestBias = 1073741824.0F;

/// Asymmetric int8 parameters of a range, which is widened to hold 0: scale = (high - low) / 255,
/// and a zero point that makes 0 exact.
QuantParams activation_params(Range range);

/// Computes every entry of the table: observed ranges, fixed grids, weights from their data, then
/// what derives from those. Values that a file gave grids (`given`) have these, to the bit.
QuantTable solve(const Graph& graph, const Placement& placement, const Ranges& ranges,
                 const QuantTable& given = {});

/// Recomputes what follows from the constants of the graph (weights, biases) after training has
/// moved them; activations keep their entries.
void solve_constants(const Graph& graph, const Placement& placement, QuantTable& table);

}  // namespace octet
