#pragma once

#include <cstdint>
#include <span>

namespace octet {

/// One grid: real = scale * (integer - zero_point), integers in [low, high]. scale > 0.
struct Grid {
  float scale = 1;
  int32_t zero_point = 0;
  int32_t low = -128;
  int32_t high = 127;
};

/// The nearest integer of the grid, halves to even (ONNX QuantizeLinear), saturated. NaN is not
/// allowed.
int32_t quantize(float real, const Grid& grid);
void quantize(std::span<const float> real, const Grid& grid, std::span<int32_t> integers);
/// Of a grid of signed 8 bits, with the vector units that the machine has.
void quantize(std::span<const float> real, const Grid& grid, std::span<int8_t> integers);

/// real = scale * (integer - zero_point).
float dequantize(int32_t integer, const Grid& grid);

}  // namespace octet
