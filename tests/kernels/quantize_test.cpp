#include "kernels/quantize.h"

#include <gtest/gtest.h>
#include <hwy/tests/hwy_gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/outer_numbers.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

using namespace test;

/// Counts up the grid to the first integer whose upper border `x` does not pass.
int32_t slow_quantize(float x, const Grid& grid) {
  const long double steps = static_cast<long double>(x) / grid.scale;
  for (int32_t q = grid.low; q < grid.high; ++q) {
    const long double border = static_cast<long double>(q) - grid.zero_point + 0.5L;
    const bool even = (q - grid.zero_point) % 2 == 0;
    if (steps < border || (steps == border && even)) return q;
  }
  return grid.high;
}

/// How far a quotient lies from the nearest border between two integers.
long double from_border(float x, const Grid& grid) {
  const long double steps = static_cast<long double>(x) / grid.scale;
  return std::abs(steps - std::floor(steps) - 0.5L);
}

/// Scales from 1e-6 to 1e3 (any bits), zero points anywhere, int8, uint8 or a narrow range.
rc::Gen<Grid> grids() {
  return rc::gen::exec([] {
    const int exponent = *rc::gen::inRange(-20, 11);
    const int digits = *rc::gen::inRange(1 << 20, 1 << 21);
    Grid grid;
    grid.scale = std::ldexp(static_cast<float>(digits), exponent - 20);
    grid.low = *rc::gen::element(-128, -127, 0);
    grid.high = grid.low == 0 ? 255 : 127;
    grid.zero_point = *rc::gen::inRange(grid.low, grid.high + 1);
    return grid;
  });
}

/// A number near the grid's range, at times far outside.
rc::Gen<float> numbers_on(const Grid& grid) {
  return rc::gen::map(rc::gen::inRange(-600000, 600001), [grid](int thousandths) {
    return grid.scale * static_cast<float>(thousandths) / 1000.0F;
  });
}

TEST(Quantize, RoundsHalvesToEvenAndSaturates) {
  struct Case {
    float x;
    Grid grid;
    int32_t wanted;
  };
  const Grid plain{};
  const Grid moved{.scale = 0.5F, .zero_point = 10, .low = 0, .high = 255};
  const Grid wide{.scale = 1,
                  .zero_point = 0,
                  .low = std::numeric_limits<int32_t>::min(),
                  .high = std::numeric_limits<int32_t>::max()};
  for (const auto& [x, grid, wanted] : std::vector<Case>{
           {0, plain, 0},
           {0.5F, plain, 0},
           {1.5F, plain, 2},
           {2.5F, plain, 2},
           {-0.5F, plain, 0},
           {-1.5F, plain, -2},
           {0.49999997F, plain, 0},
           {127.5F, plain, 127},
           {127.49F, plain, 127},
           {-128.6F, plain, -128},
           {1e30F, plain, 127},
           {-1e30F, plain, -128},
           {kHuge, plain, 127},
           {-kHuge, plain, -128},
           {kInfinity, plain, 127},
           {-kInfinity, plain, -128},
           {kTiny, plain, 0},
           {-kTiny, plain, 0},
           {0, moved, 10},
           {0.25F, moved, 10},
           {0.75F, moved, 12},
           {-5, moved, 0},
           {-5.5F, moved, 0},
           {200, moved, 255},
           {3e9F, wide, std::numeric_limits<int32_t>::max()},
           {-3e9F, wide, std::numeric_limits<int32_t>::min()},
           {1e30F, {.scale = 1e-30F}, 127},  // the quotient is infinite
           {16777216, wide, 16777216},
       }) {
    EXPECT_EQ(quantize(x, grid), wanted)
        << x << " with scale " << grid.scale << ", zero point " << grid.zero_point;
  }
}

RC_GTEST_PROP(Quantize, AgreesWithTheSlowTwin, ()) {
  const Grid grid = *grids();
  const float x = *numbers_on(grid);
  const int32_t fast = quantize(x, grid);
  const int32_t slow = slow_quantize(x, grid);
  // The runtimes divide in float: next to a border the quotient may fall on either side.
  if (from_border(x, grid) < 600 * 0x1p-23L)
    RC_ASSERT(std::abs(fast - slow) <= 1);
  else
    RC_ASSERT(fast == slow);
}

RC_GTEST_PROP(Quantize, IsAtMostHalfAStepOffInsideTheRange, ()) {
  const Grid grid = *grids();
  const float low = dequantize(grid.low, grid);
  const float high = dequantize(grid.high, grid);
  const float x = std::clamp(*numbers_on(grid), low, high);
  const float back = dequantize(quantize(x, grid), grid);
  RC_ASSERT(std::abs(static_cast<double>(back) - x) <= grid.scale * (0.5 + 600 * 0x1p-23));
}

RC_GTEST_PROP(Quantize, SaturatesOutsideTheRange, ()) {
  const Grid grid = *grids();
  const float x = *numbers_on(grid);
  const int32_t q = quantize(x, grid);
  RC_ASSERT(q >= grid.low && q <= grid.high);
  if (x > dequantize(grid.high, grid)) RC_ASSERT(q == grid.high);
  if (x < dequantize(grid.low, grid)) RC_ASSERT(q == grid.low);
}

RC_GTEST_PROP(Quantize, KeepsOrder, ()) {
  const Grid grid = *grids();
  const float a = *numbers_on(grid);
  const float b = *numbers_on(grid);
  RC_ASSERT(quantize(std::min(a, b), grid) <= quantize(std::max(a, b), grid));
}

RC_GTEST_PROP(Quantize, GivesBackEveryIntegerOfTheGrid, ()) {
  const Grid grid = *grids();
  for (int32_t q = grid.low; q <= grid.high; ++q) {
    RC_ASSERT(quantize(dequantize(q, grid), grid) == q);
  }
}

RC_GTEST_PROP(Quantize, DoesASpanAsItDoesEachElement, ()) {
  const Grid grid = *grids();
  const auto x = *rc::gen::container<std::vector<float>>(numbers_on(grid));
  std::vector<int32_t> integers(x.size());
  quantize(x, grid, integers);
  for (size_t i = 0; i < x.size(); ++i) RC_ASSERT(integers[i] == quantize(x[i], grid));
}

TEST(Dequantize, SubtractsWithoutOverflow) {
  const int32_t least = std::numeric_limits<int32_t>::min();
  EXPECT_EQ(dequantize(least, {.scale = 1, .zero_point = 100}), -2147483748.0F);
  EXPECT_EQ(dequantize(5, {.scale = 0.5F, .zero_point = 7}), -1.0F);
}

/// Every instruction set of this machine, in rows of any length, far outside the grid too.
TEST(Quantize, RowsAgreeWithTheirScalarTwinOnEveryInstructionSet) {
  const Grid rows[] = {{0.05F, 3, -128, 127}, {1.0F / 3, 0, -127, 127}, {7, -128, -128, 127}};
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    for (const Grid& grid : rows) {
      for (const int64_t count : {1, 7, 16, 31, 1000}) {
        Tensor data = random_tensor({count}, 4, -300 * grid.scale, 300 * grid.scale);
        const auto real = data.as<float>();
        real[0] = 1e30F;
        real[real.size() / 2] = grid.scale * 2.5F;  // halfway
        std::vector<int8_t> integers(real.size());
        quantize(real, grid, integers);
        for (size_t i = 0; i < real.size(); ++i) {
          ASSERT_EQ(integers[i], quantize(real[i], grid)) << hwy::TargetName(target) << real[i];
        }
      }
    }
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace
}  // namespace octet
