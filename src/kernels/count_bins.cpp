#include "kernels/count_bins.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/count_bins.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace octet::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// The bin of each value, less `first`. A product with a power of two is exact, but where it is too
/// small for a float; then the value lies in bin 0, or in bin -1 when it is negative.
template <class D, class V>
HWY_INLINE hn::Vec<hn::RebindToSigned<D>> bins_of(D d, V value, V inverse, V first) {
  const auto zero = hn::Zero(d);
  const auto scaled = hn::Mul(value, inverse);
  const auto lost = hn::And(hn::Lt(value, zero), hn::Eq(scaled, zero));
  const auto floor = hn::IfThenElse(lost, hn::Set(d, -1.0F), hn::Floor(scaled));
  return hn::ConvertTo(hn::RebindToSigned<D>(), hn::Sub(floor, first));
}

/// Values between two rounds of counting. A counter that is raised has to wait until the bin's
/// number is back from memory: by then the others of the block are on their way too.
constexpr size_t kCountedBlock = 512;

void RaiseCounters(const int32_t* HWY_RESTRICT bins, size_t count, int64_t* HWY_RESTRICT counts) {
  size_t k = 0;
  for (; k + 4 <= count; k += 4) {
    ++counts[bins[k]];
    ++counts[bins[k + 1]];
    ++counts[bins[k + 2]];
    ++counts[bins[k + 3]];
  }
  for (; k < count; ++k) ++counts[bins[k]];
}

/// `common`: the bin that most values may fall into (behind a ReLU that of 0). Its values are
/// counted by vector; raised one by one, its counter would wait for itself. -1: there is none.
void CountBins(const float* HWY_RESTRICT values, size_t count, float inverse, float first,
               int32_t common, int64_t* HWY_RESTRICT counts) {
  const hn::CappedTag<float, 16> d;
  const hn::RebindToSigned<decltype(d)> di;
  const size_t lanes = hn::Lanes(d);
  const auto by = hn::Set(d, inverse);
  const auto from = hn::Set(d, first);
  const auto most = hn::Set(di, common);
  HWY_ALIGN int32_t bins[kCountedBlock + 16];
  const size_t whole = count / lanes * lanes;
  size_t i = 0;
  while (i < whole) {
    const size_t end = std::min(whole, i + kCountedBlock);
    const auto taken = static_cast<int64_t>(end - i);
    size_t kept = 0;
    for (; i < end; i += lanes) {
      const auto bin = bins_of(d, hn::LoadU(d, values + i), by, from);
      kept += hn::CompressBlendedStore(bin, hn::Ne(bin, most), di, bins + kept);
    }
    if (common >= 0) counts[common] += taken - static_cast<int64_t>(kept);
    RaiseCounters(bins, kept, counts);
  }
  const hn::CappedTag<float, 1> one;
  for (; i < count; ++i) {
    const auto bin =
        bins_of(one, hn::Set(one, values[i]), hn::Set(one, inverse), hn::Set(one, first));
    ++counts[hn::GetLane(bin)];
  }
}

}  // namespace
}  // namespace octet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace octet {

HWY_EXPORT(CountBins);

void count_bins(std::span<const float> values, int exponent, int64_t first,
                std::span<int64_t> counts) {
  const bool holds_zero = first <= 0 && -first < std::ssize(counts);
  HWY_DYNAMIC_DISPATCH(CountBins)(values.data(), values.size(), std::ldexp(1.0F, -exponent),
                                  static_cast<float>(first),
                                  holds_zero ? static_cast<int32_t>(-first) : -1, counts.data());
}

}  // namespace octet
#endif
