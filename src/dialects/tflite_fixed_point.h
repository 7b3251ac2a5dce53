#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace octet::lite_integers {

// TFLite's fixed point (kernels/internal/common.h, quantization_util.h; gemmlowp's fixedpoint.h).
// Additions wrap around at 32 bits as they do in its kernels.

/// A real number as mantissa x 2^(exponent - 31), 2^30 <= |mantissa| < 2^31 (both 0 for zero and
/// for numbers too small).
struct Multiplier {
  int32_t mantissa = 0;
  int exponent = 0;
};

/// QuantizeMultiplier.
inline Multiplier multiplier_of(double real) {
  if (real == 0) return {};
  int exponent = 0;
  const double fraction = std::frexp(real, &exponent);
  auto mantissa = static_cast<int64_t>(std::round(fraction * 2147483648.0));
  if (mantissa == int64_t{1} << 31) {
    mantissa /= 2;
    ++exponent;
  }
  if (exponent < -31) return {};
  return {.mantissa = static_cast<int32_t>(mantissa), .exponent = exponent};
}

inline int32_t wrapping_add(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}
inline int32_t wrapping_shift(int32_t x, int left) {
  return static_cast<int32_t>(static_cast<uint32_t>(x) << left);
}

/// SaturatingRoundingDoublingHighMul: a x b / 2^31, halves up.
inline int32_t high_product(int32_t a, int32_t b) {
  const int64_t product = int64_t{a} * int64_t{b};
  if (product == int64_t{1} << 62) return std::numeric_limits<int32_t>::max();
  return static_cast<int32_t>((product + (int64_t{1} << 30)) >> 31);
}

/// RoundingDivideByPOT: x / 2^power, halves away from zero.
inline int32_t divided(int32_t x, int power) {
  const int64_t half = power > 0 ? int64_t{1} << (power - 1) : 0;
  return static_cast<int32_t>((int64_t{x} + half - (x < 0 && power > 0 ? 1 : 0)) >> power);
}

/// MultiplyByQuantizedMultiplier of 32 bits as this library is built: two roundings, the second
/// takes halves away from zero.
inline int32_t scaled(int32_t x, Multiplier by) {
  const int left = std::max(by.exponent, 0);
  const int right = std::max(-by.exponent, 0);
  return divided(high_product(wrapping_shift(x, left), by.mantissa), right);
}

/// The same product as ruy computes it: the second rounding too takes halves up.
inline int32_t scaled_up(int32_t x, Multiplier by) {
  const int left = std::max(by.exponent, 0);
  const int right = std::max(-by.exponent, 0);
  const int64_t half = (int64_t{1} << right) >> 1;
  return static_cast<int32_t>((high_product(wrapping_shift(x, left), by.mantissa) + half) >> right);
}

/// MultiplyByQuantizedMultiplier of 64 bits: a mantissa of 16 bits, one rounding, halves up. Out of
/// the kernel's own range of exponents (-31 to 7) the result is 0 or saturated.
inline int32_t scaled_wide(int64_t x, Multiplier by) {
  const int64_t mantissa = by.mantissa < 0x7FFF0000 ? (by.mantissa + (1 << 15)) >> 16 : 0x7FFF;
  const int shift = std::clamp(15 - by.exponent, 1, 62);
  return static_cast<int32_t>((x * mantissa + (int64_t{1} << (shift - 1))) >> shift);
}

/// A float as the x86 conversion makes it an int32: out of range, and NaN, gives the smallest.
template <class Real>
int32_t truncated(Real real) {
  const bool fits = real >= Real{-2147483648.0} && real < Real{2147483648.0};
  return fits ? static_cast<int32_t>(real) : std::numeric_limits<int32_t>::min();
}

}  // namespace octet::lite_integers
