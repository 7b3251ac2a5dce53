#include "kernels/range.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include "base/fail.h"

namespace octet {

void Range::include(float value) {
  low = empty ? value : std::min(low, value);
  high = empty ? value : std::max(high, value);
  empty = false;
}

void Range::include(const Range& other) {
  if (other.empty) return;
  include(other.low);
  include(other.high);
}

namespace {

/// Lanes that the compiler keeps in vector registers; one running minimum would be a chain.
constexpr size_t kLanes = 16;

[[noreturn]] void refuse(std::span<const float> values) {
  const auto bad = std::ranges::find_if_not(values, [](float v) { return std::isfinite(v); });
  fail(Code::Numeric, "element {} of {} is {}", bad - values.begin(), values.size(), *bad);
}

}  // namespace

Range range_of(std::span<const float> values) {
  if (values.empty()) return {};
  std::array<float, kLanes> low;
  std::array<float, kLanes> high;
  std::array<uint32_t, kLanes> exponents{};  // all ones: NaN or infinity
  low.fill(values[0]);
  high.fill(values[0]);
  const size_t whole = values.size() / kLanes * kLanes;
  const auto take = [&](size_t lane, float value) {
    low[lane] = value < low[lane] ? value : low[lane];
    high[lane] = value > high[lane] ? value : high[lane];
    exponents[lane] = std::max(exponents[lane], std::bit_cast<uint32_t>(value) & 0x7F800000U);
  };
  for (size_t i = 0; i < whole; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) take(lane, values[i + lane]);
  }
  for (size_t i = whole; i < values.size(); ++i) take(0, values[i]);
  if (std::ranges::max(exponents) == 0x7F800000U) refuse(values);
  return {std::ranges::min(low), std::ranges::max(high), false};
}

double Histogram::width() const { return std::ldexp(1.0, exponent_); }

void Histogram::set_exponent(int exponent) {
  const int shift = exponent - exponent_;
  exponent_ = exponent;
  if (bins_.empty()) return;
  std::map<int64_t, int64_t> merged;
  for (const auto& [bin, count] : bins_) {
    merged[shift >= 63 ? (bin < 0 ? -1 : 0) : bin >> shift] += count;
  }
  bins_ = std::move(merged);
}

void Histogram::widen_to(const Range& range) {
  int exponent = exponent_;
  const auto fits = [&] {
    const double bin = std::ldexp(1.0, exponent);
    const double first = std::floor(range.low / bin);
    const double last = std::floor(range.high / bin);
    // Bin numbers stay exact in a double, also where all data lies far from 0.
    return last - first < static_cast<double>(kBins) && std::max(-first, last) < 0x1p52;
  };
  while (!fits()) ++exponent;
  if (exponent != exponent_) set_exponent(exponent);
}

void Histogram::add(std::span<const float> values) {
  if (values.empty()) return;
  Range seen = range_of(values);
  seen.include(range_);
  widen_to(seen);
  range_ = seen;
  // One dense batch of counters, then into the map: the map is touched once per bin.
  const double inverse = std::ldexp(1.0, -exponent_);
  const auto first = static_cast<int64_t>(std::floor(range_.low * inverse));
  const auto last = static_cast<int64_t>(std::floor(range_.high * inverse));
  std::vector<int64_t> counts(static_cast<size_t>(last - first + 1), 0);
  for (const float value : values) {
    // floor() by hand, which inlines: the conversion rounds towards 0.
    const double scaled = value * inverse;
    const auto towards_zero = static_cast<int64_t>(scaled);
    const int64_t bin = towards_zero - (scaled < static_cast<double>(towards_zero) ? 1 : 0);
    counts[static_cast<size_t>(bin - first)]++;
  }
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] != 0) bins_[first + static_cast<int64_t>(i)] += counts[i];
  }
  count_ += static_cast<int64_t>(values.size());
}

void Histogram::merge(const Histogram& other) {
  if (other.count_ == 0) return;
  Histogram scaled = other;
  Range both = range_;
  both.include(other.range_);
  const int exponent = std::max(exponent_, other.exponent_);
  if (count_ == 0 || exponent_ < exponent) set_exponent(exponent);
  scaled.set_exponent(exponent);
  widen_to(both);
  scaled.set_exponent(exponent_);
  for (const auto& [bin, count] : scaled.bins_) bins_[bin] += count;
  count_ += other.count_;
  range_ = both;
}

float Histogram::quantile(double share) const {
  if (count_ == 0) return 0;
  const double wanted = share * static_cast<double>(count_);
  double before = 0;
  for (const auto& [bin, count] : bins_) {
    const double after = before + static_cast<double>(count);
    if (after >= wanted) {
      const double inside = (wanted - before) / static_cast<double>(count);
      const auto value = static_cast<float>((static_cast<double>(bin) + inside) * width());
      return std::clamp(value, range_.low, range_.high);
    }
    before = after;
  }
  return range_.high;
}

}  // namespace octet
