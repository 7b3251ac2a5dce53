#include "kernels/range.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "support/error_of.h"

namespace octet {
namespace {

constexpr float kHuge = std::numeric_limits<float>::max();
constexpr float kTiny = std::numeric_limits<float>::denorm_min();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

using Data = std::vector<float>;

/// Any finite number: tiny, huge, or like those of a network. A data set is of one or two kinds.
rc::Gen<Data> data_sets() {
  return rc::gen::exec([] {
    const int first = *rc::gen::element(-149, -70, -3, 0, 10, 100);
    const int second = *rc::gen::element(-149, -1, 0, 2, 90, 127);
    const auto number = rc::gen::exec([=] {
      const int digits = *rc::gen::inRange(-(1 << 24) + 1, 1 << 24);
      const int exponent = *rc::gen::element(first, second);
      return std::ldexp(static_cast<float>(digits), exponent - 24);
    });
    return *rc::gen::nonEmpty(rc::gen::container<Data>(number));
  });
}

Histogram histogram_of(std::span<const float> values) {
  Histogram histogram;
  histogram.add(values);
  return histogram;
}

void check_equal(const Histogram& a, const Histogram& b) {
  RC_ASSERT(a.bins() == b.bins());
  RC_ASSERT(a.width() == b.width());
  RC_ASSERT(a.count() == b.count());
  RC_ASSERT(a.range().low == b.range().low);
  RC_ASSERT(a.range().high == b.range().high);
}

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

    Histogram histogram = histogram_of(Data{1, 2});
    EXPECT_STREQ(error_of([&] { histogram.add(data); }).what(), error.what());
    EXPECT_EQ(histogram.count(), 2) << "refused data was counted";
    EXPECT_EQ(histogram.range().high, 2);
  }
}

TEST(Histogram, IsEmptyAtFirst) {
  Histogram histogram;
  histogram.add({});
  histogram.merge(Histogram{});
  EXPECT_EQ(histogram.count(), 0);
  EXPECT_TRUE(histogram.range().empty);
  EXPECT_TRUE(histogram.bins().empty());
  EXPECT_EQ(histogram.quantile(0.5), 0);
}

TEST(Histogram, HoldsConstantData) {
  for (const float value : {0.0F, -0.0F, 1.0F, -1.0F, 6.0F, 8.0F, -8.0F, 255.0F, 1e10F, -1e10F,
                            kHuge, -kHuge, kTiny, -kTiny, 1e-30F, 0.1F}) {
    SCOPED_TRACE(value);
    const Data data(1000, value);
    Histogram histogram = histogram_of(data);
    histogram.add(data);
    histogram.merge(histogram_of(data));
    ASSERT_EQ(histogram.bins().size(), 1u);
    EXPECT_EQ(histogram.bins().begin()->second, 3000);
    const double low = static_cast<double>(histogram.bins().begin()->first) * histogram.width();
    EXPECT_LE(low, value);
    EXPECT_GT(low + histogram.width(), value);
    for (const double share : {0.0, 0.3, 1.0}) EXPECT_EQ(histogram.quantile(share), value);
  }
}

TEST(Histogram, HoldsTinyBesideHuge) {
  const Data data{kTiny, -kTiny, kHuge, -kHuge, 1, 0};
  const Histogram histogram = histogram_of(data);
  EXPECT_EQ(histogram.count(), 6);
  EXPECT_LE(histogram.bins().size(), static_cast<size_t>(Histogram::kBins));
  EXPECT_EQ(histogram.quantile(0), -kHuge);
  EXPECT_EQ(histogram.quantile(1), kHuge);
}

TEST(Histogram, StaysSmallWhateverComes) {
  Histogram histogram;
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0, 1);
  for (int batch = 0; batch < 50; ++batch) {
    Data data(2000);
    for (float& value : data) value = normal(random) * static_cast<float>(batch * batch + 1);
    histogram.add(data);
    ASSERT_LE(histogram.bins().size(), static_cast<size_t>(Histogram::kBins));
    ASSERT_LE(histogram.bins().rbegin()->first - histogram.bins().begin()->first,
              Histogram::kBins - 1);
  }
  EXPECT_EQ(histogram.count(), 100000);
}

RC_GTEST_PROP(Histogram, IsTheSameForAnyCutIntoBatches, ()) {
  const Data data = *data_sets();
  const Histogram whole = histogram_of(data);
  Histogram parts;
  for (size_t at = 0; at < data.size();) {
    const size_t left = data.size() - at;
    const size_t count = *rc::gen::inRange<size_t>(1, left + 1);
    parts.add(std::span(data).subspan(at, count));
    at += count;
  }
  check_equal(whole, parts);
}

RC_GTEST_PROP(Histogram, IsTheSameForAnyOrderOfMerging, ()) {
  const Data data = *data_sets();
  std::vector<Histogram> parts;
  for (size_t at = 0; at < data.size();) {
    const size_t count = *rc::gen::inRange<size_t>(1, data.size() - at + 1);
    parts.push_back(histogram_of(std::span(data).subspan(at, count)));
    at += count;
  }
  while (parts.size() > 1) {
    const auto a = *rc::gen::inRange<size_t>(0, parts.size());
    Histogram taken = parts[a];
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(a));
    const auto b = *rc::gen::inRange<size_t>(0, parts.size());
    parts[b].merge(taken);
  }
  check_equal(histogram_of(data), parts[0]);
}

RC_GTEST_PROP(Histogram, CountsWhatASlowLoopCounts, ()) {
  const Data data = *data_sets();
  const Histogram histogram = histogram_of(data);
  std::map<int64_t, int64_t> counts;
  for (const float value : data) {
    ++counts[static_cast<int64_t>(std::floor(static_cast<long double>(value) / histogram.width()))];
  }
  RC_ASSERT(histogram.bins() == counts);
  RC_ASSERT(counts.size() <= static_cast<size_t>(Histogram::kBins));
}

RC_GTEST_PROP(Histogram, FindsQuantilesToABin, ()) {
  Data data = *data_sets();
  const Histogram histogram = histogram_of(data);
  const double share = *rc::gen::inRange(0, 1001) / 1000.0;
  std::ranges::sort(data);
  // The first number that at least this share of the data does not exceed.
  const auto rank = std::ceil(share * static_cast<double>(data.size()));
  const size_t index = static_cast<size_t>(std::max(rank, 1.0)) - 1;
  const double error = std::abs(static_cast<double>(histogram.quantile(share)) - data[index]);
  RC_ASSERT(error <= histogram.width());
  RC_ASSERT(histogram.quantile(share) >= data.front());
  RC_ASSERT(histogram.quantile(share) <= data.back());
}

RC_GTEST_PROP(Histogram, HasQuantilesThatRise, ()) {
  const Histogram histogram = histogram_of(*data_sets());
  float before = histogram.quantile(0);
  for (int i = 1; i <= 20; ++i) {
    const float next = histogram.quantile(i / 20.0);
    RC_ASSERT(next >= before);
    before = next;
  }
}

}  // namespace
}  // namespace octet
