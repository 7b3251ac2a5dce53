#include "quant/exact_reals.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "graph/quantize_tensor.h"

namespace octet {
namespace {

/// Scales from 1e-12 to 1e6.
float drawn_scale() {
  const double exponent = *rc::gen::inRange(-12000, 6000) / 1000.0;
  return static_cast<float>(std::pow(10.0, exponent));
}

RC_GTEST_PROP(ExactReals, GiveEveryInt8Back, ()) {
  const Grid grid{drawn_scale(), *rc::gen::inRange(-128, 128), -128, 127};
  for (int32_t q = grid.low; q <= grid.high; ++q) {
    const auto real = exact_real(q, grid);
    RC_ASSERT(real.has_value());
    RC_ASSERT(quantize(*real, grid) == q);
  }
}

/// The 32-bit integers of a bias are those that `quantize` makes of numbers.
RC_GTEST_PROP(ExactReals, GiveTheIntegersOfABiasBack, ()) {
  const Grid grid{drawn_scale(), 0, std::numeric_limits<int32_t>::min(),
                  std::numeric_limits<int32_t>::max()};
  const auto wanted = *rc::gen::inRange<int64_t>(-(int64_t{1} << 31), int64_t{1} << 31);
  const auto real = static_cast<float>(static_cast<double>(wanted) * grid.scale);
  const int32_t integer = quantize(real, grid);
  const auto exact = exact_real(integer, grid);
  RC_ASSERT(exact.has_value());
  RC_ASSERT(quantize(*exact, grid) == integer);
}

TEST(ExactReals, SayThatAnIntegerHasNone) {
  // Between the numbers that 24 bits can tell apart.
  const Grid grid{1, 0, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()};
  EXPECT_EQ(exact_real((1 << 30) + 1, grid), std::nullopt);
}

TEST(ExactReals, FollowTheScalesOfChannels) {
  const QuantParams params{.axis = 1, .low = -127, .scale = {0.3F, 0.7F}, .zero_point = {0, 0}};
  const int8_t numbers[] = {1, 2, -127, 127};
  const Tensor integers = Tensor::of<int8_t>({2, 2}, numbers);
  const auto reals = exact_reals(integers, params);
  ASSERT_TRUE(reals.has_value());
  EXPECT_EQ(quantize(*reals, params).bytes, integers.bytes);
  const int8_t outside[] = {1, 2, -128, 127};
  EXPECT_EQ(exact_reals(Tensor::of<int8_t>({2, 2}, outside), params), std::nullopt);
}

}  // namespace
}  // namespace octet
