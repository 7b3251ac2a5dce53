#pragma once

#include "graph/quant_table.h"
#include "quant/calibrate.h"
#include "quant/scheme.h"

namespace octet {

/// The smallest scale that is given out; a weight of zeros gets it too.
inline constexpr float kSmallestScale = 1e-12F;
/// Biases stay below 2^30 steps, so that a 32-bit accumulator has room for the products.
inline constexpr float kLargestBias = 1073741824.0F;

/// int8 parameters of a range, which is widened to hold 0. Asymmetric: scale = (high - low) / 255,
/// and a zero point that makes 0 exact. Symmetric: zero point 0, and the smallest scale that holds
/// the range in -128..127. A range of nothing but 0 counts as [0, 1].
QuantParams activation_params(Range range, Scheme::Activations activations = {});
/// The least power of two that is not below the scale.
float power_of_two(float scale);
/// Those of a scheme: as above, or of 16 bits; on a scale that is a power of two where it says so.
QuantParams activation_params(Range range, const Scheme& scheme);

/// Computes every entry of the table: observed ranges, fixed grids, weights from their data, then
/// what derives from those. Values that a file gave grids (`given`) have these, to the bit. Every
/// scale is a positive, normal float; throws Code::Numeric naming the value that can have none
/// (products of scales beyond the range of floats).
QuantTable solve(const Graph& graph, const Placement& placement, const Ranges& ranges,
                 const QuantTable& given = {});

/// Recomputes what follows from the constants of the graph (weights, biases) after training has
/// moved them; activations keep their entries.
void solve_constants(const Graph& graph, const Placement& placement, QuantTable& table);
/// Recomputes what follows from the entries of activations after these have moved: rescaled values,
/// constants and tables.
void solve_derived(const Graph& graph, const Placement& placement, QuantTable& table);

}  // namespace octet
