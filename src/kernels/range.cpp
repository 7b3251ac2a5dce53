#include "kernels/range.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/fail.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/range.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace octet::HWY_NAMESPACE {
namespace {

namespace range_hn = hwy::HWY_NAMESPACE;

/// Smallest and largest element, and the largest exponent among them: all ones are NaN or infinity.
template <class D, class V = range_hn::Vec<D>,
          class E = range_hn::Vec<range_hn::RebindToUnsigned<D>>>
struct Extremes {
  D d;
  range_hn::RebindToUnsigned<D> du;
  V low;
  V high;
  E exponent = range_hn::Zero(du);

  HWY_INLINE void take(V value) {
    low = range_hn::Min(low, value);
    high = range_hn::Max(high, value);
    const auto bits = range_hn::BitCast(du, value);
    exponent = range_hn::Max(exponent, range_hn::And(bits, range_hn::Set(du, 0x7F800000U)));
  }
  HWY_INLINE void take(const Extremes& other) {
    low = range_hn::Min(low, other.low);
    high = range_hn::Max(high, other.high);
    exponent = range_hn::Max(exponent, other.exponent);
  }
};

/// `count` is 1 or more. Returns false when an element is not finite; `range` is then undefined.
bool FindRange(const float* HWY_RESTRICT values, size_t count, Range* range) {
  const range_hn::ScalableTag<float> d;
  const size_t lanes = range_hn::Lanes(d);
  const auto start = range_hn::Set(d, values[0]);
  Extremes<decltype(d)> even{.d = d, .du = {}, .low = start, .high = start};
  Extremes<decltype(d)> odd = even;  // two: one running minimum would wait for itself
  size_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    even.take(range_hn::LoadU(d, values + i));
    odd.take(range_hn::LoadU(d, values + i + lanes));
  }
  for (; i < count; i += lanes) {
    const size_t left = std::min(lanes, count - i);
    even.take(range_hn::LoadNOr(start, d, values + i, left));
  }
  even.take(odd);
  *range = {range_hn::ReduceMin(d, even.low), range_hn::ReduceMax(d, even.high), false};
  return range_hn::ReduceMax(even.du, even.exponent) != 0x7F800000U;
}

}  // namespace
}  // namespace octet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace octet {

HWY_EXPORT(FindRange);

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

[[noreturn]] void refuse(std::span<const float> values) {
  const auto bad = std::ranges::find_if_not(values, [](float v) { return std::isfinite(v); });
  fail(Code::Numeric, "element {} of {} is {}", bad - values.begin(), values.size(),
       std::isnan(*bad) ? std::abs(*bad) : *bad);  // the sign of NaN says nothing
}

}  // namespace

Range range_of(std::span<const float> values) {
  if (values.empty()) return {};
  Range range;
  if (!HWY_DYNAMIC_DISPATCH(FindRange)(values.data(), values.size(), &range)) refuse(values);
  return range;
}

}  // namespace octet
#endif
