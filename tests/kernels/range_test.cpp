#include "kernels/range.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kernels/outer_numbers.h"
#include "support/error_of.h"

namespace octet {
namespace {

using namespace test;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

using Data = std::vector<float>;

TEST(Range, HoldsTheSmallestAndTheLargest) {
  EXPECT_TRUE(range_of({}).empty);
  const Data data{3, -2, 7, 0};
  const Range range = range_of(data);
  EXPECT_EQ(range.low, -2);
  EXPECT_EQ(range.high, 7);
  EXPECT_FALSE(range.empty);

  Range grown;
  grown.include(Range{});
  EXPECT_TRUE(grown.empty);
  grown.include(5);  // does not hold 0
  EXPECT_EQ(grown.low, 5);
  EXPECT_EQ(grown.high, 5);
  grown.include(range);
  EXPECT_EQ(grown.low, -2);
  EXPECT_EQ(grown.high, 7);
}

TEST(Range, RefusesWhatIsNotFinite) {
  struct Case {
    Data data;
    std::string_view message;
  };
  for (const auto& [data, message] : std::vector<Case>{
           {{kNaN}, "element 0 of 1 is nan"},
           {{1, kNaN, 2}, "element 1 of 3 is nan"},
           {{1, 2, kInfinity}, "element 2 of 3 is inf"},
           {{1, -kInfinity, kInfinity}, "element 1 of 3 is -inf"},
           {{kInfinity, kNaN}, "element 0 of 2 is inf"},
       }) {
    const Error error = error_of([&] { range_of(data); });
    EXPECT_EQ(error.code(), Code::Numeric);
    EXPECT_EQ(error.what(), message);
  }
}

}  // namespace
}  // namespace octet
