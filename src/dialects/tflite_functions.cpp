#include "dialects/tflite_functions.h"

#include <algorithm>
#include <array>
#include <bit>

#include "dialects/tflite_fixed_point.h"

namespace octet::lite_integers {
namespace {

constexpr int32_t kMost = std::numeric_limits<int32_t>::max();
constexpr int32_t kLeast = std::numeric_limits<int32_t>::min();

int32_t wrapping_sub(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) - static_cast<uint32_t>(b));
}

int32_t saturated(int64_t x) { return static_cast<int32_t>(std::clamp<int64_t>(x, kLeast, kMost)); }

/// (a + b) / 2, halves away from zero.
int32_t half_sum(int32_t a, int32_t b) {
  const int64_t sum = int64_t{a} + b;
  return static_cast<int32_t>((sum + (sum >= 0 ? 1 : -1)) / 2);
}

/// Exponential on [-1/4, 0), q0: a Taylor polynomial around -1/8.
int32_t exp_near_zero(int32_t q0) {
  constexpr int32_t kExpEighth = 1895147668;  // e^(-1/8)
  constexpr int32_t kThird = 715827883;
  const int32_t x = wrapping_add(q0, 1 << 28);
  const int32_t x2 = high_product(x, x);
  const int32_t x3 = high_product(x2, x);
  const int32_t x4 = high_product(x2, x2);
  const int32_t x4_and_x3 = high_product(wrapping_add(divided(x4, 2), x3), kThird);
  const int32_t tail = divided(wrapping_add(x4_and_x3, x2), 1);
  return wrapping_add(kExpEighth, high_product(kExpEighth, wrapping_add(x, tail)));
}

/// Newton's division by half a denominator in [1/2, 1]: 1 / x in q2.
int32_t newton(int32_t half_denominator) {
  constexpr int32_t k48Over17 = 1515870810;   // q2
  constexpr int32_t k32Over17 = -1010580540;  // q2, negative
  constexpr int32_t kOne = 1 << 29;           // q2
  int32_t x = wrapping_add(k48Over17, high_product(half_denominator, k32Over17));
  for (int i = 0; i < 3; ++i) {
    const int32_t rest = wrapping_sub(kOne, high_product(half_denominator, x));
    x = wrapping_add(x, saturating_shift(high_product(x, rest), 2));
  }
  return x;
}

/// 1 / (1 + x) for x in [0, 1], q0.
int32_t one_over_one_plus(int32_t q0) { return saturating_shift(newton(half_sum(q0, kMost)), 1); }

}  // namespace

int32_t saturating_shift(int32_t x, int power) {
  if (power < 0) return divided(x, -power);
  return saturated(int64_t{x} * (int64_t{1} << power));
}

int32_t exp_of_negative(int32_t q5) {
  if (q5 == 0) return kMost;
  // e^(-2^power) for power = -2 .. 4
  constexpr std::array<int32_t, 7> kPowers{1672461947, 1302514674, 790015084, 290630308,
                                           39332535,   720401,     242};
  constexpr int kLowestBit = 31 - 5 - 2;
  constexpr int32_t kQuarter = 1 << kLowestBit;
  const int32_t part = wrapping_sub(q5 & (kQuarter - 1), kQuarter);
  int32_t result = exp_near_zero(saturating_shift(part, 5));
  const int32_t rest = wrapping_sub(part, q5);
  for (size_t i = 0; i < kPowers.size(); ++i) {
    if ((rest >> kLowestBit >> i & 1) != 0) result = high_product(result, kPowers[i]);
  }
  return result;
}

int32_t reciprocal(int32_t q12, int& bits) {
  const int headroom = std::countl_zero(static_cast<uint32_t>(q12));
  bits = 12 - headroom;
  const uint32_t above_one = (static_cast<uint32_t>(q12) << headroom) - (uint32_t{1} << 31);
  return one_over_one_plus(static_cast<int32_t>(above_one));
}

namespace {

constexpr int kLogBits = 6;  // integer bits of a logarithm on its way
constexpr int32_t kRootHalf = 1518500250;

/// (bits - quarters / 4) with `kLogBits` integer bits.
int32_t power_of_two(int bits, int quarters) {
  constexpr int32_t kQuarter = 1 << (29 - kLogBits);
  return saturated(int64_t{saturating_shift(bits, 31 - kLogBits)} - int64_t{quarters} * kQuarter);
}

/// ln(r) in units of the logarithm, for r around 2^(-1/4): a rational function.
int32_t log_of_rest(int32_t r) {
  constexpr int32_t kRootRootHalf = 1805811301;
  constexpr int32_t kAlphaN = 117049297;
  constexpr int32_t kAlphaD = 127690142;
  constexpr int32_t kAlphaI = 1057819769;
  constexpr int32_t kAlphaF = 638450708;
  const int32_t p = half_sum(r, kRootRootHalf);
  int32_t q = wrapping_sub(r, kRootRootHalf);
  q = wrapping_add(q, q);
  const int32_t square = high_product(q, q);
  const int32_t numerator =
      wrapping_add(high_product(q, r), high_product(high_product(q, square), kAlphaN));
  const int32_t inner = wrapping_add(wrapping_add(kAlphaI, q), high_product(kAlphaD, square));
  const int32_t denominator = wrapping_add(high_product(p, inner), high_product(kAlphaF, q));
  return high_product(saturating_shift(numerator, -kLogBits), one_over_one_plus(denominator));
}

}  // namespace

int32_t log_of_sum(int32_t q12) {
  constexpr int kIn = 12;
  constexpr int32_t kLog2 = 1488522236;
  // Two ways to split x into a power of two and a rest; the second starts from x / sqrt(2).
  const int headroom_a = std::countl_zero(static_cast<uint32_t>(q12));
  const int32_t a = saturating_shift(q12, headroom_a - 1);
  const int32_t rest_a = saturating_shift(high_product(a, kRootHalf), 1);
  const int32_t power_a = power_of_two(kIn - headroom_a, -1);
  const int32_t b = high_product(q12, kRootHalf);
  const int headroom_b = std::countl_zero(static_cast<uint32_t>(b)) - 1;
  const int32_t rest_b = saturating_shift(q12, headroom_b);
  const int32_t power_b = power_of_two(kIn - headroom_b, 1);

  const int32_t power = high_product(std::max(power_a, power_b), kLog2);
  return saturating_shift(wrapping_add(power, log_of_rest(std::min(rest_a, rest_b))), 1);
}

int32_t inverse_root(int32_t sum, int& exponent) {
  if (sum <= 1) {
    exponent = 0;
    return kMost;
  }
  int right = 11;
  for (; sum >= 1 << 29; sum /= 4) ++right;
  const int pairs = (std::countl_zero(static_cast<uint32_t>(sum)) - 1) / 2 - 1;
  right -= pairs;
  sum <<= 2 * pairs;
  constexpr int32_t kHalfThree = (1 << 28) + (1 << 27);  // 1.5 in q3
  const int32_t half = divided(sum >> 1, 1);
  int32_t x = 1 << 28;  // 1 in q3
  for (int i = 0; i < 5; ++i) {
    const int32_t cube = saturating_shift(high_product(high_product(x, x), x), 6);
    x = saturating_shift(wrapping_sub(high_product(kHalfThree, x), high_product(half, cube)), 3);
  }
  x = high_product(x, kRootHalf);
  if (right < 0) {
    x = wrapping_shift(x, -right);
    right = 0;
  }
  exponent = -right;
  return x;
}

}  // namespace octet::lite_integers
