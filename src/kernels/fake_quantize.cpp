#include "kernels/fake_quantize.h"

#include "kernels/sized_vectors.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/fake_quantize.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/grid_steps-inl.h"

HWY_BEFORE_NAMESPACE();
namespace octet::HWY_NAMESPACE {
namespace {

/// Rounds 16 elements; the bits of those that were inside. Inside means that the rounded value
/// needed no clipping.
template <bool kMask>
HWY_INLINE uint32_t round_word(const float* in, const Steps& steps, float* out) {
  const Floats d;
  const auto low = hn::Set(d, steps.low);
  const auto high = hn::Set(d, steps.high);
  uint32_t bits = 0;
  for (size_t lane = 0; lane < 16; lane += hn::Lanes(d)) {
    const auto rounded = hn::Round(hn::Mul(hn::LoadU(d, in + lane), hn::Set(d, steps.inverse)));
    // In this order NaN comes through, and is seen in the loss.
    const auto clipped = hn::Min(high, hn::Max(low, rounded));
    if constexpr (kMask) {
      bits |= static_cast<uint32_t>(hn::BitsFromMask(d, hn::Eq(rounded, clipped))) << lane;
    }
    hn::StoreU(hn::Mul(clipped, hn::Set(d, steps.scale)), d, out + lane);
  }
  return bits;
}

template <bool kMask>
void round_all(const float* in, size_t count, const Grid& grid, float* out, uint16_t* inside) {
  const Steps steps(grid);
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const uint32_t bits = round_word<kMask>(in + i, steps, out + i);
    if constexpr (kMask) inside[i / 16] = static_cast<uint16_t>(bits);
  }
  if (i == count) return;
  float rest[16] = {};
  for (size_t k = i; k < count; ++k) rest[k - i] = in[k];
  const uint32_t bits = round_word<kMask>(rest, steps, rest);
  for (size_t k = i; k < count; ++k) out[k] = rest[k - i];
  if constexpr (kMask) inside[i / 16] = static_cast<uint16_t>(bits);
}

void Round(const float* in, size_t count, const Grid& grid, float* out) {
  round_all<false>(in, count, grid, out, nullptr);
}

void RoundMasked(const float* in, size_t count, const Grid& grid, float* out, uint16_t* inside) {
  round_all<true>(in, count, grid, out, inside);
}

void PassInside(const float* gradient, size_t count, const uint16_t* inside, float* out) {
  const Floats d;
  const hn::RebindToUnsigned<Floats> du;
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const uint32_t word = inside[i / 16];
    for (size_t lane = 0; lane < 16; lane += hn::Lanes(d)) {
      const auto bit = hn::Shl(hn::Set(du, 1), hn::Iota(du, static_cast<uint32_t>(lane)));
      const auto kept = hn::TestBit(hn::Set(du, word), bit);
      hn::StoreU(hn::IfThenElseZero(hn::RebindMask(d, kept), hn::LoadU(d, gradient + i + lane)), d,
                 out + i + lane);
    }
  }
  for (; i < count; ++i) out[i] = (inside[i / 16] >> (i % 16) & 1) != 0 ? gradient[i] : 0.0F;
}

}  // namespace
}  // namespace octet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace octet {

HWY_EXPORT(Round);
HWY_EXPORT(RoundMasked);
HWY_EXPORT(PassInside);

void fake_quantize(std::span<const float> in, const Grid& grid, std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(Round)(in.data(), in.size(), grid, out.data());
}

void fake_quantize(std::span<const float> in, const Grid& grid, std::span<float> out,
                   std::span<uint16_t> inside) {
  HWY_DYNAMIC_DISPATCH(RoundMasked)(in.data(), in.size(), grid, out.data(), inside.data());
}

void pass_inside(std::span<const float> gradient, std::span<const uint16_t> inside,
                 std::span<float> out) {
  HWY_DYNAMIC_DISPATCH(PassInside)(gradient.data(), gradient.size(), inside.data(), out.data());
}

}  // namespace octet
#endif
