// Included anew for every instruction set, by files that include Highway so: no `#pragma once`.

#if defined(OCTET_KERNELS_GRID_STEPS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef OCTET_KERNELS_GRID_STEPS_INL_H
#undef OCTET_KERNELS_GRID_STEPS_INL_H
#else
#define OCTET_KERNELS_GRID_STEPS_INL_H
#endif

#include <hwy/highway.h>

#include "kernels/quantize.h"

HWY_BEFORE_NAMESPACE();
namespace octet::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// At most 16 lanes: of the mask of kernels/fake_quantize.h one word is filled by whole vectors.
using Floats = hn::CappedTag<float, 16>;
using Vec = hn::Vec<Floats>;
using Residues = hn::Rebind<int8_t, Floats>;

inline constexpr float kResidueParts = 252;  ///< of a step
inline constexpr float kClippedLow = -128;
inline constexpr float kClippedHigh = 127;

/// The grid in floating point, shifted so that the zero point is 0: no integer is needed.
struct Steps {
  float inverse, scale, low, high;
  explicit Steps(const Grid& grid)
      : inverse(1.0F / grid.scale),
        scale(grid.scale),
        low(static_cast<float>(grid.low - grid.zero_point)),
        high(static_cast<float>(grid.high - grid.zero_point)) {}
};

struct Rounded {
  Vec steps;                                     ///< from the zero point, clipped
  hn::Vec<hn::Rebind<int32_t, Floats>> residue;  ///< as the byte says it
};

HWY_INLINE Rounded round_steps(Floats d, Vec in, const Steps& steps) {
  const auto low = hn::Set(d, steps.low);
  const auto high = hn::Set(d, steps.high);
  const auto exact = hn::Mul(in, hn::Set(d, steps.inverse));
  const auto rounded = hn::Round(exact);
  const auto part = hn::Mul(hn::Sub(rounded, exact), hn::Set(d, kResidueParts));
  const auto residue =
      hn::IfThenElse(hn::Lt(rounded, low), hn::Set(d, kClippedLow),
                     hn::IfThenElse(hn::Gt(rounded, high), hn::Set(d, kClippedHigh), part));
  // In this order NaN comes through, and is seen in the loss.
  return {hn::Min(high, hn::Max(low, rounded)), hn::NearestInt(residue)};
}

HWY_INLINE Vec load_residues(Floats d, const int8_t* from) {
  const hn::Rebind<int32_t, Floats> di;
  return hn::ConvertTo(d, hn::PromoteTo(di, hn::LoadU(Residues(), from)));
}
HWY_INLINE Vec load_residues(Floats d, const int8_t* from, size_t count) {
  const hn::Rebind<int32_t, Floats> di;
  return hn::ConvertTo(d, hn::PromoteTo(di, hn::LoadN(Residues(), from, count)));
}

/// By how many steps an element's rounded value moves with the scale, and whether it was clipped.
struct Moved {
  Vec steps;
  hn::Mask<Floats> clipped;
};

HWY_INLINE Moved moved_by(Floats d, Vec residue, const Steps& steps) {
  const auto low = hn::Eq(residue, hn::Set(d, kClippedLow));
  const auto high = hn::Eq(residue, hn::Set(d, kClippedHigh));
  const auto inside = hn::Mul(residue, hn::Set(d, 1 / kResidueParts));
  return {hn::IfThenElse(low, hn::Set(d, steps.low),
                         hn::IfThenElse(high, hn::Set(d, steps.high), inside)),
          hn::Or(low, high)};
}

}  // namespace
}  // namespace octet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
