#include "dialects/tflite_int16_functions.h"

#include <algorithm>
#include <array>

namespace octet::lite_integers {
namespace {

constexpr int32_t kOneInQ0 = 32767;  // in q0

int32_t wrapped(int32_t x) { return static_cast<int16_t>(x); }
int32_t saturated_int16(int32_t x) { return std::clamp(x, -32768, 32767); }

/// a x b / 2^15, halves up.
int32_t int16_product(int32_t a, int32_t b) { return saturated_int16((a * b + (1 << 14)) >> 15); }
/// x / 2^power, halves away from zero.
int32_t divided(int32_t x, int power) {
  const int32_t half = 1 << (power - 1);
  return (x + half - (x < 0 ? 1 : 0)) >> power;
}
/// A constant of 32 bits, rounded to 16.
constexpr int32_t narrowed(int64_t wide) {
  return static_cast<int32_t>((wide + (1 << 15) - (wide < 0 ? 1 : 0)) >> 16);
}

/// Exponential on [-1/4, 0), q0: a Taylor polynomial around -1/8.
int32_t int16_exp_near_zero(int32_t q0) {
  constexpr int32_t kExpEighth = narrowed(1895147668);
  constexpr int32_t kThird = narrowed(715827883);
  const int32_t x = wrapped(q0 + (1 << 12));
  const int32_t x2 = int16_product(x, x);
  const int32_t x3 = int16_product(x2, x);
  const int32_t x4 = int16_product(x2, x2);
  const int32_t tail =
      divided(wrapped(int16_product(wrapped(divided(x4, 2) + x3), kThird) + x2), 1);
  return saturated_int16(kExpEighth + int16_product(kExpEighth, wrapped(x + tail)));
}

/// e^x in q0, for x <= 0 with `bits` integer bits.
int32_t int16_exp_of_negative(int32_t x, int bits) {
  if (x == 0) return kOneInQ0;
  // e^(-2^power) for power = -2 .. 3
  constexpr std::array<int32_t, 6> kPowers{narrowed(1672461947), narrowed(1302514674),
                                           narrowed(790015084),  narrowed(290630308),
                                           narrowed(39332535),   narrowed(720401)};
  const int lowest_bit = 15 - bits - 2;
  const int32_t quarter = 1 << lowest_bit;
  const int32_t part = (x & (quarter - 1)) - quarter;
  int32_t result = int16_exp_near_zero(saturated_int16(part * (1 << bits)));
  const int32_t rest = wrapped(part - x);
  for (size_t i = 0; i < static_cast<size_t>(bits) + 2; ++i) {
    if ((rest >> lowest_bit >> i & 1) != 0) result = int16_product(result, kPowers[i]);
  }
  return result;
}

/// Newton's division: 2 / (1 + x) for x in [0, 1] as q2.
int32_t two_over_one_plus(int32_t q0) {
  constexpr int32_t k48Over17 = narrowed(1515870810);
  constexpr int32_t k32Over17 = narrowed(-1010580540);
  constexpr int32_t kOneInQ2 = 1 << 13;
  const int32_t half_denominator = (q0 + kOneInQ0 + 1) / 2;
  int32_t x = wrapped(k48Over17 + int16_product(half_denominator, k32Over17));
  for (int i = 0; i < 3; ++i) {
    const int32_t rest = wrapped(kOneInQ2 - int16_product(half_denominator, x));
    x = wrapped(x + saturated_int16(int16_product(x, rest) * 4));
  }
  return x;
}

}  // namespace

int32_t logistic_of_q3(int32_t x) {
  if (x == 0) return 1 << 14;
  const int32_t magnitude = x > 0 ? x : wrapped(-x);
  const int32_t above =
      saturated_int16(two_over_one_plus(int16_exp_of_negative(wrapped(-magnitude), 3)) * 2);
  return x > 0 ? above : wrapped(kOneInQ0 - above);
}

int32_t tanh_of_q3(int32_t x) {
  if (x == 0) return 0;
  // Read with 4 integer bits, the number is twice as large.
  const int32_t power = int16_exp_of_negative(x < 0 ? x : wrapped(-x), 4);
  const int32_t magnitude = saturated_int16(wrapped(two_over_one_plus(power) - (1 << 13)) * 4);
  return x < 0 ? wrapped(-magnitude) : magnitude;
}

}  // namespace octet::lite_integers
