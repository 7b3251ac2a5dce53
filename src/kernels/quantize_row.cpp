#include <cmath>

#include "kernels/quantize.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/quantize_row.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace octet::HWY_NAMESPACE {
namespace {

namespace row = hwy::HWY_NAMESPACE;

/// Clamped before the zero point is added: the quotient may be beyond any integer.
void quantize_row(const float* in, size_t count, const Grid& grid, int8_t* out) {
  const row::ScalableTag<float> d;
  const row::RebindToSigned<decltype(d)> whole;
  const row::Rebind<int8_t, decltype(d)> narrow;
  const auto scale = row::Set(d, grid.scale);
  const auto low = row::Set(d, static_cast<float>(grid.low - grid.zero_point));
  const auto high = row::Set(d, static_cast<float>(grid.high - grid.zero_point));
  const auto zero = row::Set(whole, grid.zero_point);
  const size_t lanes = row::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto steps = row::Round(row::Div(row::LoadU(d, in + i), scale));
    const auto inside = row::Min(row::Max(steps, low), high);
    row::StoreU(row::DemoteTo(narrow, row::Add(row::ConvertTo(whole, inside), zero)), narrow,
                out + i);
  }
  for (; i < count; ++i) out[i] = static_cast<int8_t>(quantize(in[i], grid));
}

}  // namespace
}  // namespace octet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace octet {

HWY_EXPORT(quantize_row);

void quantize(std::span<const float> real, const Grid& grid, std::span<int8_t> integers) {
  HWY_DYNAMIC_DISPATCH(quantize_row)(real.data(), real.size(), grid, integers.data());
}

}  // namespace octet
#endif
