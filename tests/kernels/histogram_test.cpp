#include "kernels/histogram.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <format>
#include <limits>
#include <map>
#include <random>
#include <vector>

#include "kernels/outer_numbers.h"
#include "support/error_of.h"

namespace octet {
namespace {

using namespace test;

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

TEST(Histogram, IsEmptyAtFirst) {
  Histogram histogram;
  histogram.add({});
  histogram.merge(Histogram{});
  EXPECT_EQ(histogram.count(), 0);
  EXPECT_TRUE(histogram.range().empty);
  EXPECT_TRUE(histogram.counts().empty());
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
    ASSERT_EQ(histogram.counts().size(), 1u);
    EXPECT_EQ(histogram.counts()[0], 3000);
    const double low = static_cast<double>(histogram.first()) * histogram.width();
    EXPECT_LE(low, value);
    EXPECT_GT(low + histogram.width(), value);
    for (const double share : {0.0, 0.3, 1.0}) EXPECT_EQ(histogram.quantile(share), value);
  }
}

TEST(Histogram, CountsNothingOfWhatItRefuses) {
  Histogram histogram = histogram_of(Data{1, 2});
  const Data data{1, std::numeric_limits<float>::quiet_NaN(), 2};
  EXPECT_STREQ(error_of([&] { histogram.add(data); }).what(), "element 1 of 3 is nan");
  EXPECT_TRUE(histogram == histogram_of(Data{1, 2}));
}

TEST(Histogram, IsRestoredOrRefused) {
  const Histogram made = histogram_of(Data{1, 2, 2, 5});
  const std::vector<int64_t> counts(made.counts().begin(), made.counts().end());
  EXPECT_TRUE(Histogram(made.exponent(), made.first(), counts, made.range()) == made);
  EXPECT_STREQ(
      error_of([&] { Histogram(made.exponent() + 1, made.first(), counts, made.range()); }).what(),
      "2049 bins from 512 on, 2^-8 wide, cannot hold values from 1 to 5");
}

TEST(Histogram, HoldsTinyBesideHuge) {
  const Data data{kTiny, -kTiny, kHuge, -kHuge, 1, 0};
  const Histogram histogram = histogram_of(data);
  EXPECT_EQ(histogram.count(), 6);
  EXPECT_LE(histogram.counts().size(), static_cast<size_t>(Histogram::kBins));
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
    ASSERT_LE(histogram.counts().size(), static_cast<size_t>(Histogram::kBins));
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
  RC_ASSERT(whole == parts);
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
  RC_ASSERT(histogram_of(data) == parts[0]);
}

RC_GTEST_PROP(Histogram, CountsWhatASlowLoopCounts, ()) {
  const Data data = *data_sets();
  const Histogram histogram = histogram_of(data);
  std::map<int64_t, int64_t> counts;
  for (const float value : data) {
    ++counts[static_cast<int64_t>(std::floor(static_cast<long double>(value) / histogram.width()))];
  }
  RC_ASSERT(histogram.first() == counts.begin()->first);
  RC_ASSERT(histogram.first() + static_cast<int64_t>(histogram.counts().size()) - 1 ==
            counts.rbegin()->first);
  for (size_t i = 0; i < histogram.counts().size(); ++i) {
    const auto it = counts.find(histogram.first() + static_cast<int64_t>(i));
    RC_ASSERT(histogram.counts()[i] == (it == counts.end() ? 0 : it->second));
  }
  RC_ASSERT(histogram.counts().size() <= static_cast<size_t>(Histogram::kBins));
}

/// Long enough for all of a kernel's loops, with the peaks that clipping leaves.
TEST(Histogram, CountsLongDataWithPeaks) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0, 4);
  for (const size_t size : {15U, 512U, 1023U, 5000U}) {
    for (const float lowest : {-6.0F, 0.0F, 2.0F}) {
      SCOPED_TRACE(std::format("{} values from {}", size, lowest));
      Data data(size);
      for (float& value : data) value = std::clamp(normal(random), lowest, 6.0F);
      const Histogram histogram = histogram_of(data);
      std::vector<int64_t> counts(histogram.counts().size());
      for (const float value : data) {
        const auto bin = static_cast<int64_t>(std::floor(value / histogram.width()));
        ++counts.at(static_cast<size_t>(bin - histogram.first()));
      }
      EXPECT_TRUE(std::ranges::equal(counts, histogram.counts()));
      EXPECT_EQ(histogram.count(), static_cast<int64_t>(size));
    }
  }
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
