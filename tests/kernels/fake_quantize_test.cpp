#include "kernels/fake_quantize.h"

#include <gtest/gtest.h>
#include <hwy/tests/hwy_gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "support/graph_builder.h"

namespace octet {
namespace {

/// One element, as the header says it.
float slow(float in, const Grid& grid) {
  const float inverse = 1.0F / grid.scale;
  const float steps = std::nearbyint(in * inverse);
  const auto low = static_cast<float>(grid.low - grid.zero_point);
  const auto high = static_cast<float>(grid.high - grid.zero_point);
  return std::clamp(steps, low, high) * grid.scale;
}
bool slow_inside(float in, const Grid& grid) {
  const float steps =
      std::nearbyint(in * (1.0F / grid.scale)) + static_cast<float>(grid.zero_point);
  return steps >= static_cast<float>(grid.low) && steps <= static_cast<float>(grid.high);
}

/// Every instruction set of this machine against the slow twin.
TEST(FakeQuantize, AgreesWithItsScalarTwinOnEveryInstructionSet) {
  const Grid grids[] = {{0.05F, 3, -128, 127}, {1.0F / 255, -128, -128, 127}, {7, 0, -127, 127}};
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    for (const Grid& grid : grids) {
      for (const int64_t count : {1, 15, 16, 17, 1000}) {
        const Tensor data = test::random_tensor({count}, 9, -140 * grid.scale, 140 * grid.scale);
        const auto in = data.as<float>();
        std::vector<float> out(in.size());
        std::vector<float> plain(in.size());
        std::vector<float> passed(in.size());
        std::vector<uint16_t> inside(mask_words(in.size()));
        fake_quantize(in, grid, out, inside);
        fake_quantize(in, grid, plain);
        pass_inside(in, inside, passed);
        for (size_t i = 0; i < in.size(); ++i) {
          ASSERT_EQ(out[i], slow(in[i], grid)) << hwy::TargetName(target) << " " << in[i];
          ASSERT_EQ(plain[i], out[i]);
          ASSERT_EQ(passed[i], slow_inside(in[i], grid) ? in[i] : 0.0F)
              << hwy::TargetName(target) << " " << in[i];
        }
      }
    }
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

TEST(FakeQuantize, NanComesThrough) {
  const std::vector<float> in(20, std::nanf(""));
  std::vector<float> out(20);
  fake_quantize(in, {0.1F, 0, -128, 127}, out);
  for (const float value : out) EXPECT_TRUE(std::isnan(value));
}

RC_GTEST_PROP(FakeQuantize, RoundsToTheSameIntegersButForTies, ()) {
  const float scale =
      std::ldexp(static_cast<float>(*rc::gen::inRange(100, 200)), *rc::gen::inRange(-20, 20));
  const Grid grid{scale, *rc::gen::inRange(-128, 128), -128, 127};
  const float in = scale * static_cast<float>(*rc::gen::inRange(-4000, 4000)) / 13.0F;
  float out = 0;
  fake_quantize({&in, 1}, grid, {&out, 1});
  // The inverse of the scale is rounded: where a quotient lies at a half, it may fall either way.
  RC_ASSERT(std::abs(out - dequantize(quantize(in, grid), grid)) <= scale * 1.0001F);
  RC_ASSERT(std::abs(quantize(out, grid) - quantize(in, grid)) <= 1);
}

}  // namespace
}  // namespace octet
