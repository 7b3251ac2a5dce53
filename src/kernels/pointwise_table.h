#pragma once

#include <cstdint>
#include <span>

#include "kernels/quantize.h"

namespace octet {

// A function of one 8-bit number is a table: rounding to the number's grid, the function, and
// rounding to the result's grid are one pass over memory.

/// Rounds `in` to the grid (at most 256 integers) and looks the results up: table[integer -
/// grid.low]. `codes` gets these indices, `residues` what learned_grid.h says. `in` and `out` may
/// be the same.
void look_up(std::span<const float> in, const Grid& grid, std::span<const float> table,
             std::span<float> out, std::span<uint8_t> codes, std::span<int8_t> residues);

/// How the results move, for each integer of the grid.
struct TableSlopes {
  std::span<const float> source;  ///< with the rounded number itself
  std::span<const float> result;  ///< with the number that the result's grid depends on
};

/// The gradients of a loss for the scale of the number's grid, and for the result's number.
struct TableGradient {
  double source = 0;
  double result = 0;
};

/// out[i] = gradient[i] * slope, 0 where the number was clipped. `gradient` and `out` may be the
/// same.
TableGradient pass_table(std::span<const float> gradient, std::span<const uint8_t> codes,
                         std::span<const int8_t> residues, const Grid& grid,
                         const TableSlopes& slopes, std::span<float> out);

}  // namespace octet
