#pragma once

#include <cstdint>
#include <span>

#include "kernels/quantize.h"

namespace octet {

// Grids that gradients move. An element of x lies x / scale steps from 0; what its rounding adds,
// between -1/2 and 1/2 of a step, is the gradient of its rounded value for the scale (S. K. Esser
// et al., "Learned Step Size Quantization", 2020, equation 3). A byte holds it, in parts of 1/252,
// or says at which end the element was clipped.

/// Rounds as `fake_quantize` (kernels/fake_quantize.h) does; `residues` has an element for each of
/// `in`. `in` and `out` may be the same.
void fake_quantize(std::span<const float> in, const Grid& grid, std::span<float> out,
                   std::span<int8_t> residues);

/// The gradient of a loss for the numbers of a grid.
struct GridGradient {
  double scale = 0;
  double zero_point = 0;  ///< an integer is counted from it: clipped elements alone move with it
};

/// The straight-through gradient: out[i] = gradient[i] where element i was not clipped, else 0; and
/// the gradient for the grid. `gradient` and `out` may be the same.
GridGradient pass_inside(std::span<const float> gradient, std::span<const int8_t> residues,
                         const Grid& grid, std::span<float> out);

/// Weights: rows of equal length, each on a grid of its own with zero point 0.
struct RowGrids {
  std::span<const float> scales;  ///< one for each row
  int32_t low = -127;
  int32_t high = 127;
};
void fake_quantize(std::span<const float> in, const RowGrids& grids, std::span<float> out,
                   std::span<int8_t> residues);
/// `scale_gradients` has an element for each row. `damping` draws weights to the values that they
/// are rounded to: the gradient of damping * sum((x - rounded x)^2) comes in (M. Nagel et al.,
/// "Overcoming Oscillations in Quantization-Aware Training", 2022, equation 6).
void pass_inside(std::span<const float> gradient, std::span<const int8_t> residues,
                 const RowGrids& grids, float damping, std::span<float> out,
                 std::span<float> scale_gradients);

}  // namespace octet
