#include "kernels/histogram.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"
#include "kernels/count_bins.h"

namespace octet {
namespace {

struct Window {
  int64_t first;
  int64_t last;
};

Window window_of(const Range& range, int exponent) {
  const double inverse = std::ldexp(1.0, -exponent);
  return {static_cast<int64_t>(std::floor(range.low * inverse)),
          static_cast<int64_t>(std::floor(range.high * inverse))};
}

/// The narrowest width, from this one on, at which the range fits.
int exponent_for(const Range& range, int exponent) {
  const auto fits = [&] {
    const double bin = std::ldexp(1.0, exponent);
    const double first = std::floor(range.low / bin);
    const double last = std::floor(range.high / bin);
    // Bin numbers stay exact in a double, also where all data lies far from 0.
    return last - first < static_cast<double>(Histogram::kBins) && std::max(-first, last) < 0x1p52;
  };
  while (!fits()) ++exponent;
  return exponent;
}

}  // namespace

Histogram::Histogram(int exponent, int64_t first, std::vector<int64_t> counts, const Range& range)
    : exponent_(exponent), first_(first), counts_(std::move(counts)), range_(range) {
  for (const int64_t count : counts_) count_ += count;
  const auto bins = static_cast<int64_t>(counts_.size());
  const bool sane = !range.empty && std::isfinite(range.low) && std::isfinite(range.high) &&
                    range.low <= range.high && exponent >= -60 && exponent <= 128 && bins <= kBins;
  const bool filled = bins > 0 && counts_.front() > 0 && counts_.back() > 0 &&
                      std::ranges::all_of(counts_, [](int64_t count) { return count >= 0; });
  if (sane && filled && exponent_for(range, exponent) == exponent) {
    const Window window = window_of(range, exponent);
    if (window.first == first && window.last == first + bins - 1) return;
  }
  fail(Code::Data, "{} bins from {} on, 2^{} wide, cannot hold values from {} to {}", bins, first,
       exponent, range.low, range.high);
}

double Histogram::width() const { return std::ldexp(1.0, exponent_); }

/// Wider bins; every new one is a whole number of old ones.
void Histogram::coarsen(int exponent) {
  const int shift = std::min(exponent - exponent_, 62);
  exponent_ = exponent;
  if (shift == 0 || counts_.empty()) return;
  const int64_t first = first_ >> shift;
  const int64_t last = (first_ + static_cast<int64_t>(counts_.size()) - 1) >> shift;
  std::vector<int64_t> merged(static_cast<size_t>(last - first + 1), 0);
  for (size_t i = 0; i < counts_.size(); ++i) {
    merged[static_cast<size_t>(((first_ + static_cast<int64_t>(i)) >> shift) - first)] +=
        counts_[i];
  }
  first_ = first;
  counts_ = std::move(merged);
}

/// Makes room for a range that holds what was counted.
void Histogram::cover(const Range& range) {
  coarsen(exponent_for(range, exponent_));
  const Window window = window_of(range, exponent_);
  std::vector<int64_t> counts(static_cast<size_t>(window.last - window.first + 1), 0);
  if (!counts_.empty()) std::ranges::copy(counts_, counts.begin() + (first_ - window.first));
  first_ = window.first;
  counts_ = std::move(counts);
  range_ = range;
}

void Histogram::add(std::span<const float> values) {
  if (values.empty()) return;
  Range seen = range_of(values);
  seen.include(range_);
  if (range_.empty || seen.low < range_.low || seen.high > range_.high) cover(seen);
  count_bins(values, exponent_, first_, counts_);
  count_ += static_cast<int64_t>(values.size());
}

void Histogram::merge(const Histogram& other) {
  if (other.count_ == 0) return;
  Range both = range_;
  both.include(other.range_);
  if (count_ == 0 || exponent_ < other.exponent_) coarsen(other.exponent_);
  if (range_.empty || both.low < range_.low || both.high > range_.high) cover(both);
  const int shift = std::min(exponent_ - other.exponent_, 62);
  for (size_t i = 0; i < other.counts_.size(); ++i) {
    const int64_t bin = (other.first_ + static_cast<int64_t>(i)) >> shift;
    counts_[static_cast<size_t>(bin - first_)] += other.counts_[i];
  }
  count_ += other.count_;
}

float Histogram::quantile(double share) const {
  if (count_ == 0) return 0;
  const double wanted = share * static_cast<double>(count_);
  double before = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    const double after = before + static_cast<double>(counts_[i]);
    if (after >= wanted) {
      const double inside = (wanted - before) / static_cast<double>(counts_[i]);
      const double bin = static_cast<double>(first_ + static_cast<int64_t>(i)) + inside;
      return std::clamp(static_cast<float>(bin * width()), range_.low, range_.high);
    }
    before = after;
  }
  return range_.high;
}

}  // namespace octet
