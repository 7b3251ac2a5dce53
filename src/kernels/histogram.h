#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/range.h"

namespace octet {

/// Counts of values in bins of equal width. The width is a power of two and bin k covers
/// [k * width, (k + 1) * width), so histograms of any two data sets can be merged exactly: the
/// result does not depend on how the data was cut into batches. When the data spreads over more
/// than `kBins` bins, the width doubles. Memory is bounded whatever the number of values.
class Histogram {
 public:
  static constexpr int64_t kBins = 4096;

  Histogram() = default;
  /// One that was stored. Throws Code::Data when the parts contradict each other: no counts of
  /// `counts.size()` bins from `first` on can have this range.
  Histogram(int exponent, int64_t first, std::vector<int64_t> counts, const Range& range);

  /// Counts with the vector units that the machine has. Throws Code::Numeric, and counts nothing,
  /// when a value is NaN or infinite.
  void add(std::span<const float> values);
  void merge(const Histogram& other);

  int64_t count() const { return count_; }
  const Range& range() const { return range_; }  ///< exact
  int exponent() const { return exponent_; }     ///< width = 2^exponent
  double width() const;
  /// Counts of the bins from that of the smallest value, `first`, to that of the largest.
  int64_t first() const { return first_; }
  std::span<const int64_t> counts() const { return counts_; }
  /// The value below which `share` (0 to 1) of the data lies, to within a bin; never outside the
  /// exact range.
  float quantile(double share) const;

  bool operator==(const Histogram&) const = default;

 private:
  void cover(const Range& range);
  void coarsen(int exponent);

  int exponent_ = -60;
  int64_t first_ = 0;
  int64_t count_ = 0;
  std::vector<int64_t> counts_;
  Range range_;
};

}  // namespace octet
