#include "quant/sixteen_bits.h"

#include <gtest/gtest.h>

#include "graph/quantize_tensor.h"
#include "quant/solve.h"

namespace octet {
namespace {

TEST(SixteenBits, LieAroundZero) {
  struct Case {
    Range range;
    float scale;
  };
  const Case cases[] = {
      {{-1, 3, false}, 3.0F / 32767}, {{-5, 3, false}, 5.0F / 32767},
      {{2, 3, false}, 3.0F / 32767},  {{0, 0, false}, kSmallestScale},
      {{0, 0, true}, kSmallestScale},
  };
  for (const Case& held : cases) {
    const QuantParams params = sixteen_bit_params(held.range);
    EXPECT_EQ(params.type, DType::Int16);
    EXPECT_EQ(params.scale, std::vector{held.scale});
    EXPECT_EQ(params.zero_point, std::vector{0});
    EXPECT_EQ(params.low, -32768);
    EXPECT_EQ(params.high, 32767);
    EXPECT_EQ(params.origin, Origin::Observed);
  }
}

TEST(SixteenBits, HoldTheLargerEnd) {
  const QuantParams params = sixteen_bit_params({-2, 1, false});
  const float reals[]{-2, 1, 0, 5};
  const Tensor integers = quantize(Tensor::of<float>({4}, reals), params);
  EXPECT_EQ(std::vector(integers.as<int16_t>().begin(), integers.as<int16_t>().end()),
            (std::vector<int16_t>{-32767, 16384, 0, 32767}));
}

}  // namespace
}  // namespace octet
