#include "quant/observer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <random>

#include "graph/quantize_tensor.h"
#include "quant/clip_search.h"
#include "quant/solve.h"
#include "support/error_of.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

Sketch sketch_of(std::span<const float> values, size_t batch = 0) {
  Sketch sketch;
  const size_t size = batch == 0 ? values.size() : batch;
  for (size_t at = 0; at < values.size(); at += size) {
    Histogram part;
    part.add(values.subspan(at, std::min(size, values.size() - at)));
    sketch.add(part);
  }
  return sketch;
}

Range range_by(const std::string& observer, const Sketch& sketch, double percentile = 99.99) {
  const CalibrationSettings settings{.observer = observer, .percentile = percentile};
  return observer_named(settings).range({.sketch = sketch, .settings = settings});
}

/// The error that the grid of the range really makes.
double mean_square(std::span<const float> values, const Range& range) {
  const Grid grid = grid_of(activation_params(range));
  double sum = 0;
  for (const float value : values) {
    const double gap = static_cast<double>(value) - dequantize(quantize(value, grid), grid);
    sum += gap * gap;
  }
  return sum / static_cast<double>(values.size());
}

std::vector<float> normal_with_outliers(size_t count, float outlier) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  values[count / 2] = outlier;
  return values;
}

TEST(Observer, FindsTheRangeOfAKnownDistribution) {
  struct Case {
    std::string observer;
    double percentile;
    float low, high;
    float tolerance;
  };
  const std::vector<Case> cases{
      {"minmax", 100, -100, 1000, 0}, {"percentile", 100, -100, 1000, 0},
      {"percentile", 98, -98, 98, 1},  // one in a hundred cut on either side
      {"percentile", 90, -90, 90, 1}, {"moving-average", 100, -100, 1000, 0},  // one batch
  };
  std::vector<float> values{1000};  // one outlier among 20,001 values
  for (int i = -10000; i <= 10000; ++i) values.push_back(static_cast<float>(i) / 100);
  const Sketch sketch = sketch_of(values);
  for (const Case& c : cases) {
    SCOPED_TRACE(std::format("{} {}", c.observer, c.percentile));
    const Range range = range_by(c.observer, sketch, c.percentile);
    EXPECT_NEAR(range.low, c.low, c.tolerance);
    EXPECT_NEAR(range.high, c.high, c.tolerance);
  }
}

TEST(Observer, KnowsSharesByName) {
  const auto values = normal_with_outliers(400000, 50);
  const Sketch sketch = sketch_of(values);
  EXPECT_TRUE(range_by("percentile-99.99", sketch, 60) == range_by("percentile", sketch, 99.99));
  EXPECT_TRUE(range_by("percentile-99.999", sketch, 60) == range_by("percentile", sketch, 99.999));
  EXPECT_LT(range_by("percentile-99.99", sketch).high, range_by("percentile-99.999", sketch).high);
  EXPECT_LT(range_by("percentile-99.999", sketch).high, 50);
}

TEST(Observer, DoesNotDependOnTheBatches) {
  const Tensor data = test::random_tensor({6000}, 3, -4, 9);
  const Sketch whole = sketch_of(data.as<float>());
  const Sketch parts = sketch_of(data.as<float>(), 750);
  EXPECT_TRUE(whole.histogram == parts.histogram);
  for (const Observer& row : all_observers()) {
    if (row.name == "moving-average") continue;  // it is made of batches
    const std::string name(row.name);
    EXPECT_TRUE(range_by(name, whole) == range_by(name, parts)) << name;
  }
}

TEST(Observer, MovesATenthOfTheWayWithEachBatch) {
  const std::vector<float> values{-1, 1, -2, 11, -1, 1};
  const Range range = range_by("moving-average", sketch_of(values, 2));
  EXPECT_FLOAT_EQ(range.low, -1.09F);  // -1, -1.1, -1.09
  EXPECT_FLOAT_EQ(range.high, 1.9F);   // 1, 2, 1.9
}

TEST(Observer, ClipsOutliersWhereThatLosesLess) {
  const auto values = normal_with_outliers(100000, 400);
  const Sketch sketch = sketch_of(values);
  const double whole = mean_square(values, range_by("minmax", sketch));
  for (const std::string name : {"mse", "search"}) {
    EXPECT_LE(mean_square(values, range_by(name, sketch)), whole) << name;
  }
  // Divergence does not count how far an outlier is clipped, down to where a step is a bin.
  EXPECT_LT(range_by("entropy", sketch).high, 100);
}

// Steps finer than bins left the clipped mass out of account: nearly all of it was clipped.
RC_GTEST_PROP(Observer, EntropyKeepsNearlyAllValues, ()) {
  std::mt19937 random(*rc::gen::arbitrary<unsigned>());
  std::student_t_distribution<float> heavy(static_cast<float>(*rc::gen::inRange(3, 30)));
  const bool positive = *rc::gen::arbitrary<bool>();
  std::vector<float> values(20000);
  for (float& value : values) value = positive ? std::max(heavy(random), 0.0F) : heavy(random);
  const Range range = range_by("entropy", sketch_of(values));
  const auto kept = std::ranges::count_if(
      values, [&](float value) { return value >= range.low && value <= range.high; });
  RC_ASSERT(kept > 19000);
}

TEST(Observer, FindsTheBestClippingThatASlowSearchFinds) {
  std::mt19937 random(9);
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> values(20000);
  for (float& value : values) value = std::max(0.0F, std::pow(normal(random), 5.0F));
  const Sketch sketch = sketch_of(values);
  const float largest = sketch.histogram.range().high;
  double best = mean_square(values, {0, largest, false});
  for (int i = 1; i < 400; ++i) {
    best = std::min(best, mean_square(values, {0, largest * static_cast<float>(i) / 400, false}));
  }
  EXPECT_LE(mean_square(values, range_by("mse", sketch)), best * 1.02);
}

RC_GTEST_PROP(Observer, SearchIsNoWorseThanAnyOther, ()) {
  std::mt19937 random(*rc::gen::arbitrary<unsigned>());
  std::student_t_distribution<float> heavy(static_cast<float>(*rc::gen::inRange(1, 8)));
  std::vector<float> values(3000);
  const bool positive = *rc::gen::arbitrary<bool>();
  for (float& value : values) value = positive ? std::abs(heavy(random)) : heavy(random);
  const Sketch sketch = sketch_of(values, 500);
  const CalibrationSettings settings;
  const auto error = [&](const std::string& name) {
    const RangeQuestion question{.sketch = sketch, .settings = settings};
    return rounding_error(sketch.histogram, steps_of(range_by(name, sketch), question), 2);
  };
  const double found = error("search");
  for (const Observer& row : all_observers()) RC_ASSERT(found <= error(std::string(row.name)));
}

TEST(Observer, CopesWithOddData) {
  const std::vector<std::vector<float>> odd{
      {0, 0, 0}, {5}, {-3, -3}, {1e-30F, 0}, {1e30F, -1e30F}, {1e-38F, 3e38F}};
  for (const auto& values : odd) {
    for (const Observer& row : all_observers()) {
      SCOPED_TRACE(std::format("{} {}", row.name, values[0]));
      const Range range = range_by(std::string(row.name), sketch_of(values));
      EXPECT_TRUE(std::isfinite(range.low) && std::isfinite(range.high));
      const QuantParams params = activation_params(range);
      EXPECT_TRUE(std::isfinite(params.scale[0]) && params.scale[0] > 0) << params.scale[0];
    }
  }
}

TEST(Observer, IsRefusedByName) {
  EXPECT_EQ(message_of([] { observer_named({.observer = "median"}); }),
            "unknown observer 'median'; known are minmax, moving-average, percentile, "
            "percentile-99.99, percentile-99.999, entropy, mse, search");
  EXPECT_EQ(message_of([] { observer_named({.observer = "serch"}); }),
            "unknown observer 'serch'; did you mean 'search'? Known are minmax, moving-average, "
            "percentile, percentile-99.99, percentile-99.999, entropy, mse, search");
  EXPECT_EQ(message_of([] { observer_named({.observer = "percentile", .percentile = 40}); }),
            "the percentile is 40; wanted above 50, at most 100");
  EXPECT_EQ(message_of([] { observer_named({.observer = "mse", .norm = 0.5}); }),
            "the norm is 0.5; wanted 1 to 8");
}

RC_GTEST_PROP(Sketch, MergesToWhatOneLookWouldHaveSeen, ()) {
  const Tensor data = test::random_tensor({4000}, *rc::gen::inRange(1, 1000), -4, 9);
  const auto values = data.as<float>();
  const auto cut = *rc::gen::inRange<size_t>(1, 4000);
  Sketch first = sketch_of(values.subspan(0, cut), 300);
  first.merge(sketch_of(values.subspan(cut), 300));
  RC_ASSERT(first.histogram == sketch_of(values).histogram);
  RC_ASSERT(first.moving.low >= -4 && first.moving.high <= 9);
}

}  // namespace
}  // namespace octet
