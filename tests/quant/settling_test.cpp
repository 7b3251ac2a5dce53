#include "quant/settling.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "quant/clipped_share.h"
#include "quant/solve.h"

namespace octet {
namespace {

/// A sketch of images of two numbers, batch after batch.
Sketch seen_in_turn(const std::vector<std::vector<float>>& batches) {
  Sketch sketch;
  int64_t images = 0;
  for (const auto& batch : batches) {
    Histogram counted;
    counted.add(batch);
    sketch.add(counted);
    images += std::ssize(batch) / 2;
    sketch.mark(images);
  }
  return sketch;
}

TEST(Settling, FindsTheNumberOfImagesThatWouldHaveBeenEnough) {
  struct Case {
    const char* name;
    std::vector<std::vector<float>> batches;
    int64_t images;
    int64_t enough;
    double moved;
    bool known = true;
  };
  const std::vector<Case> cases{
      {"at once", {{0, 1, 2, 3}}, 2, 2, 0, false},
      {"from the start", {{0, 10}, {1, 2}, {1, 2}, {3, 4}}, 4, 1, 0},
      {"a step of 1 %", {{0, 9.9F}, {0, 10}}, 2, 1, 0.01},
      {"a step of 10 %", {{0, 9}, {0, 10}}, 2, 2, 0.1},
      {"late", {{0, 1}, {0, 9.9F}, {1, 2}, {0, 10}}, 4, 2, 0.01},
      {"never", {{0, 1}, {0, 2}, {0, 3}, {0, 4}}, 4, 4, 0.5},
      {"the lower end", {{-1, 10}, {-10, 10}}, 2, 2, 0.45},
      {"far from 0: a step of 1 % of what the grid covers",
       {{100, 100}, {100, 101}},
       2,
       1,
       1 / 101.0},
      {"always 0", {{0, 0}, {0, 0}}, 2, 1, 0},
      {"0 at first", {{0, 0}, {0, 1}}, 2, 2, 1},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const Settling found = settling_of(seen_in_turn(c.batches), c.images, true);
    EXPECT_EQ(found.images, c.enough);
    EXPECT_NEAR(found.moved, c.moved, 1e-6);
    EXPECT_EQ(found.known, c.known);
  }
  EXPECT_FALSE(settling_of({}, 4, true).known);
}

TEST(Settling, OfMostNumbersDoesNotMindAnOutlier) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> even(-1, 1);
  std::vector<std::vector<float>> batches(4, std::vector<float>(100000));
  for (auto& batch : batches) std::ranges::generate(batch, [&] { return even(random); });
  batches[3][7] = 50;
  const Sketch sketch = seen_in_turn(batches);
  EXPECT_EQ(settling_of(sketch, 200000, true).images, 200000);
  EXPECT_EQ(settling_of(sketch, 200000, false).images, 50000);
}

RC_GTEST_PROP(Settling, NeedsAFewMilestonesForAnyNumberOfImages, ()) {
  Sketch sketch;
  int64_t images = 0;
  const int batches = *rc::gen::inRange(1, 200);
  for (int i = 0; i < batches; ++i) {
    Histogram one;
    one.add(std::vector<float>{static_cast<float>(i)});
    sketch.add(one);
    images += *rc::gen::inRange(1, 100);
    sketch.mark(images);
  }
  RC_ASSERT(static_cast<double>(sketch.course.size()) <=
            1 + std::log2(static_cast<double>(images)));
  for (size_t i = 1; i < sketch.course.size(); ++i) {
    RC_ASSERT(sketch.course[i].images >= 2 * sketch.course[i - 1].images);
  }
}

RC_GTEST_PROP(ClippedShare, IsWhatASlowCountFinds, ()) {
  std::mt19937 random(*rc::gen::arbitrary<unsigned>());
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> values(3000);
  for (float& value : values) value = normal(random);
  Histogram histogram;
  histogram.add(values);
  const float high = static_cast<float>(*rc::gen::inRange(0, 400)) / 100;
  const QuantParams grid = activation_params({-1, high, false});
  const auto clipped = std::ranges::count_if(values, [&](float value) {
    const double step =
        std::nearbyint(static_cast<double>(value) / grid.scale[0]) + grid.zero_point[0];
    return step < -128 || step > 127;
  });
  const double exact = static_cast<double>(clipped) / 3000;
  RC_ASSERT(std::abs(clipped_share(histogram, grid) - exact) < 0.005);
}

TEST(ClippedShare, OfWhatFitsIsNothing) {
  Histogram histogram;
  EXPECT_EQ(clipped_share(histogram, activation_params({0, 1, false})), 0);
  histogram.add(std::vector<float>{0, 0.5F, 1, 1});
  EXPECT_EQ(clipped_share(histogram, activation_params({0, 1, false})), 0);
  EXPECT_NEAR(clipped_share(histogram, activation_params({0, 0.75F, false})), 0.5, 1e-9);
}

}  // namespace
}  // namespace octet
