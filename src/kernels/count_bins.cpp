#include "kernels/count_bins.h"

#include <array>
#include <cmath>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/count_bins.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace octet::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// Counters of the bins from 0 on: elements take turns, because one counter that is raised twice in
/// a row would have to wait for itself.
constexpr size_t kTurns = 2;

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

/// `counters`: kTurns counters for each bin.
void CountBins(const float* HWY_RESTRICT values, size_t count, float inverse, float first,
               uint32_t* HWY_RESTRICT counters) {
  const hn::CappedTag<float, 16> d;
  const hn::RebindToSigned<decltype(d)> di;
  const size_t lanes = hn::Lanes(d);
  const auto by = hn::Set(d, inverse);
  const auto from = hn::Set(d, first);
  HWY_ALIGN int32_t bins[16];
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::Store(bins_of(d, hn::LoadU(d, values + i), by, from), di, bins);
    for (size_t k = 0; k < lanes; ++k)
      ++counters[static_cast<size_t>(bins[k]) * kTurns + k % kTurns];
  }
  const hn::CappedTag<float, 1> one;
  for (; i < count; ++i) {
    const auto bin =
        bins_of(one, hn::Set(one, values[i]), hn::Set(one, inverse), hn::Set(one, first));
    ++counters[static_cast<size_t>(hn::GetLane(bin)) * kTurns];
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
  constexpr size_t kTurns = 2;
  std::vector<uint32_t> counters(counts.size() * kTurns, 0);
  HWY_DYNAMIC_DISPATCH(CountBins)(values.data(), values.size(), std::ldexp(1.0F, -exponent),
                                  static_cast<float>(first), counters.data());
  for (size_t i = 0; i < counts.size(); ++i) {
    for (size_t turn = 0; turn < kTurns; ++turn) counts[i] += counters[i * kTurns + turn];
  }
}

}  // namespace octet
#endif
