#include "kernels/pair_sums.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pair_sums.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace octet::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

float largest_in(const float* row, size_t length) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  auto most = hn::Zero(d);
  size_t i = 0;
  for (; i + 2 * lanes <= length; i += 2 * lanes) {
    hn::Vec<decltype(d)> even;
    hn::Vec<decltype(d)> odd;
    hn::LoadInterleaved2(d, row + i, even, odd);
    most = hn::Max(most, hn::Abs(hn::Add(even, odd)));
  }
  float largest = hn::ReduceMax(d, most);
  for (; i < length; i += 2) {
    largest = std::max(largest, std::abs(row[i] + (i + 1 < length ? row[i + 1] : 0.0F)));
  }
  return largest;
}

void LargestPairSums(const float* rows, size_t length, float* largest, size_t count) {
  for (size_t row = 0; row < count; ++row) largest[row] = largest_in(rows + row * length, length);
}

}  // namespace
}  // namespace octet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace octet {

HWY_EXPORT(LargestPairSums);

void largest_pair_sums(std::span<const float> rows, std::span<float> largest) {
  if (largest.empty()) return;
  HWY_DYNAMIC_DISPATCH(LargestPairSums)(rows.data(), rows.size() / largest.size(), largest.data(),
                                        largest.size());
}

}  // namespace octet
#endif
