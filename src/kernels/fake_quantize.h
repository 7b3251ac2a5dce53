#pragma once

#include <cstdint>
#include <span>

#include "kernels/quantize.h"

namespace octet {

/// Rounds reals to the nearest values of the grid (halves to even; the quotient is taken by the
/// inverse of the scale). `in` and `out` may be the same. With the vector units that the machine
/// has.
void fake_quantize(std::span<const float> in, const Grid& grid, std::span<float> out);

/// The same for training: bit i of `inside` (from the lowest of inside[0] on) tells whether element
/// i was not clipped. `inside` has mask_words(in.size()) elements.
void fake_quantize(std::span<const float> in, const Grid& grid, std::span<float> out,
                   std::span<uint16_t> inside);

/// Elements of 16 bits that a mask of `count` bits takes.
constexpr size_t mask_words(size_t count) { return (count + 15) / 16; }

/// The straight-through gradient: out[i] = gradient[i] where bit i is set, else 0.
void pass_inside(std::span<const float> gradient, std::span<const uint16_t> inside,
                 std::span<float> out);

}  // namespace octet
