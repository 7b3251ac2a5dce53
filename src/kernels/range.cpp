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

namespace hn = hwy::HWY_NAMESPACE;

/// Smallest and largest element, and the largest exponent among them: all ones are NaN or infinity.
template <class D, class V = hn::Vec<D>, class E = hn::Vec<hn::RebindToUnsigned<D>>>
struct Extremes {
  D d;
  hn::RebindToUnsigned<D> du;
  V low;
  V high;
  E exponent = hn::Zero(du);

  HWY_INLINE void take(V value) {
    low = hn::Min(low, value);
    high = hn::Max(high, value);
    const auto bits = hn::BitCast(du, value);
    exponent = hn::Max(exponent, hn::And(bits, hn::Set(du, 0x7F800000U)));
  }
  HWY_INLINE void take(const Extremes& other) {
    low = hn::Min(low, other.low);
    high = hn::Max(high, other.high);
    exponent = hn::Max(exponent, other.exponent);
  }
};

/// `count` is 1 or more. Returns false when an element is not finite; `range` is then undefined.
bool FindRange(const float* HWY_RESTRICT values, size_t count, Range* range) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  const auto start = hn::Set(d, values[0]);
  Extremes<decltype(d)> even{.d = d, .du = {}, .low = start, .high = start};
  Extremes<decltype(d)> odd = even;  // two: one running minimum would wait for itself
  size_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    even.take(hn::LoadU(d, values + i));
    odd.take(hn::LoadU(d, values + i + lanes));
  }
  for (; i < count; i += lanes) {
    const size_t left = std::min(lanes, count - i);
    even.take(hn::LoadNOr(start, d, values + i, left));
  }
  even.take(odd);
  *range = {hn::ReduceMin(d, even.low), hn::ReduceMax(d, even.high), false};
  return hn::ReduceMax(even.du, even.exponent) != 0x7F800000U;
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
