#include "kernels/range.h"

#include <algorithm>
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

Range range_of(std::span<const float> values) {
  Range range;
  if (values.empty()) return range;
  // Comparisons with NaN are false: a sum that is not finite tells of NaN and infinity alike.
  float low = values[0];
  float high = values[0];
  float poison = 0;
  for (const float value : values) {
    low = value < low ? value : low;
    high = value > high ? value : high;
    poison += value * 0.0F;
  }
  if (poison != 0.0F) {
    const auto bad = std::ranges::find_if_not(values, [](float v) { return std::isfinite(v); });
    fail(Code::Numeric, "element {} of {} is {}", bad - values.begin(), values.size(), *bad);
  }
  return {low, high, false};
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
  const auto spread = [&] {
    const double bin = std::ldexp(1.0, exponent);
    return std::floor(range.high / bin) - std::floor(range.low / bin) + 1;
  };
  while (spread() > static_cast<double>(kBins)) ++exponent;
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
    counts[static_cast<size_t>(static_cast<int64_t>(std::floor(value * inverse)) - first)]++;
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
