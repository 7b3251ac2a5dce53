#include "train/schedule.h"

#include <gtest/gtest.h>

namespace octet {
namespace {

double rate(const TrainSettings& settings, int64_t step) {
  return pace_at(settings, step, 100, 10).rate;
}

TEST(Schedule, RisesAndStays) {
  const TrainSettings settings{.rate = 1, .schedule = Schedule::Constant, .warmup = 0.04};
  EXPECT_NEAR(rate(settings, 0), 0.2, 1e-12);
  EXPECT_NEAR(rate(settings, 3), 0.8, 1e-12);
  for (const int64_t step : {4, 50, 99}) EXPECT_EQ(rate(settings, step), 1) << step;
}

TEST(Schedule, FallsByACosine) {
  const TrainSettings settings{.rate = 2, .schedule = Schedule::Cosine, .warmup = 0};
  EXPECT_EQ(rate(settings, 0), 2);
  EXPECT_NEAR(rate(settings, 50), 1, 1e-12);
  EXPECT_NEAR(rate(settings, 99), 0, 0.001);
}

TEST(Schedule, FallsByFactors) {
  const TrainSettings settings{
      .rate = 1, .schedule = Schedule::Step, .warmup = 0, .decay_every = 3, .decay = 0.1};
  EXPECT_EQ(rate(settings, 29), 1);
  EXPECT_NEAR(rate(settings, 30), 0.1, 1e-12);
  EXPECT_NEAR(rate(settings, 60), 0.01, 1e-12);
}

TEST(Schedule, GoesThroughOneCycle) {
  const TrainSettings settings{
      .rate = 1, .momentum = 0.95, .schedule = Schedule::OneCycle, .warmup = 0.3};
  EXPECT_NEAR(rate(settings, 0), 0.04, 1e-12);
  EXPECT_NEAR(rate(settings, 15), 0.52, 1e-12);
  EXPECT_NEAR(rate(settings, 30), 1, 1e-12);
  EXPECT_LT(rate(settings, 99), 0.001);
  EXPECT_GT(rate(settings, 99), 0);
  EXPECT_NEAR(pace_at(settings, 30, 100, 10).momentum, 0.85, 1e-12);
  EXPECT_NEAR(pace_at(settings, 99, 100, 10).momentum, 0.95, 1e-3);
}

}  // namespace
}  // namespace octet
