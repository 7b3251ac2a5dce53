#include "kernels/quantize.h"

#include <algorithm>
#include <cmath>

namespace octet {

int32_t quantize(float real, const Grid& grid) {
  // Clamped in floating point: the quotient may be beyond any integer.
  const double steps = std::nearbyint(static_cast<double>(real / grid.scale)) + grid.zero_point;
  return static_cast<int32_t>(
      std::clamp(steps, static_cast<double>(grid.low), static_cast<double>(grid.high)));
}

void quantize(std::span<const float> real, const Grid& grid, std::span<int32_t> integers) {
  std::ranges::transform(real, integers.begin(), [&](float x) { return quantize(x, grid); });
}

float dequantize(int32_t integer, const Grid& grid) {
  return grid.scale * static_cast<float>(static_cast<int64_t>(integer) - grid.zero_point);
}

}  // namespace octet
