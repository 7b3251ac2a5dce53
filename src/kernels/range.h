#pragma once

#include <cstdint>
#include <map>
#include <span>

namespace octet {

/// An interval of real numbers; empty until something was included.
struct Range {
  float low = 0;
  float high = 0;
  bool empty = true;

  void include(float value);
  void include(const Range& other);
};

/// Smallest and largest element. Throws Code::Numeric when one is NaN or infinite.
Range range_of(std::span<const float> values);

/// Counts of values in bins of equal width. The width is a power of two and bin k covers
/// [k * width, (k + 1) * width), so histograms of any two data sets can be merged exactly: the
/// result does not depend on how the data was cut into batches. When the data spreads over more
/// than `kBins` bins, the width doubles. Memory is bounded whatever the number of values.
class Histogram {
 public:
  static constexpr int64_t kBins = 4096;

  void add(std::span<const float> values);  ///< finite values
  void merge(const Histogram& other);

  int64_t count() const { return count_; }
  const Range& range() const { return range_; }
  double width() const;
  /// The value below which `share` (0 to 1) of the data lies, to within a bin; never outside the
  /// exact range.
  float quantile(double share) const;
  /// Bin number -> count, in order.
  const std::map<int64_t, int64_t>& bins() const { return bins_; }

 private:
  void widen_to(const Range& range);
  void set_exponent(int exponent);

  std::map<int64_t, int64_t> bins_;
  int exponent_ = -60;  ///< width = 2^exponent
  int64_t count_ = 0;
  Range range_;
};

}  // namespace octet
