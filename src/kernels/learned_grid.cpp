#include "kernels/learned_grid.h"

#include "kernels/sized_vectors.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/learned_grid.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/grid_steps-inl.h"

HWY_BEFORE_NAMESPACE();
namespace octet::HWY_NAMESPACE {
namespace {

void RoundKept(const float* in, size_t count, const Grid& grid, float* out, int8_t* residues) {
  const Steps steps(grid);
  const Floats d;
  const Residues dr;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const Rounded rounded = round_steps(d, hn::LoadU(d, in + i), steps);
    hn::StoreU(hn::Mul(rounded.steps, hn::Set(d, steps.scale)), d, out + i);
    hn::StoreU(hn::DemoteTo(dr, rounded.residue), dr, residues + i);
  }
  if (i == count) return;
  const size_t rest = count - i;
  const Rounded rounded = round_steps(d, hn::LoadN(d, in + i, rest), steps);
  hn::StoreN(hn::Mul(rounded.steps, hn::Set(d, steps.scale)), d, out + i, rest);
  hn::StoreN(hn::DemoteTo(dr, rounded.residue), dr, residues + i, rest);
}

/// Adds a step's share of the gradients to the sums; what passes.
HWY_INLINE Vec pass(Floats d, Vec gradient, Vec residue, const Steps& steps, Vec& scale,
                    Vec& clipped) {
  const Moved moved = moved_by(d, residue, steps);
  scale = hn::MulAdd(gradient, moved.steps, scale);
  clipped = hn::Add(clipped, hn::IfThenElseZero(moved.clipped, gradient));
  return hn::IfThenZeroElse(moved.clipped, gradient);
}

GridGradient PassKept(const float* gradient, size_t count, const int8_t* residues, const Grid& grid,
                      float* out) {
  const Steps steps(grid);
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  auto scale = hn::Zero(d);
  auto clipped = hn::Zero(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const Vec residue = load_residues(d, residues + i);
    hn::StoreU(pass(d, hn::LoadU(d, gradient + i), residue, steps, scale, clipped), d, out + i);
  }
  if (i < count) {
    const size_t rest = count - i;
    const Vec residue = load_residues(d, residues + i, rest);
    hn::StoreN(pass(d, hn::LoadN(d, gradient + i, rest), residue, steps, scale, clipped), d,
               out + i, rest);
  }
  return {.scale = hn::ReduceSum(d, scale),
          .zero_point = -static_cast<double>(steps.scale) * hn::ReduceSum(d, clipped)};
}

void RoundRows(const float* in, size_t length, const RowGrids& grids, float* out,
               int8_t* residues) {
  for (size_t row = 0; row < grids.scales.size(); ++row) {
    RoundKept(in + row * length, length, {grids.scales[row], 0, grids.low, grids.high},
              out + row * length, residues + row * length);
  }
}

/// What draws a weight to its rounded value.
HWY_INLINE Vec damped(Floats d, Vec residue, Vec strength) {
  const auto inside = hn::Lt(hn::Abs(residue), hn::Set(d, 126.5F));
  return hn::IfThenElseZero(inside, hn::Mul(residue, strength));
}

void PassRows(const float* gradient, size_t length, const int8_t* residues, const RowGrids& grids,
              float damping, float* out, float* scale_gradients) {
  const Floats d;
  const size_t lanes = hn::Lanes(d);
  for (size_t row = 0; row < grids.scales.size(); ++row) {
    const Steps steps(Grid{grids.scales[row], 0, grids.low, grids.high});
    const auto strength = hn::Set(d, -2 * damping * steps.scale / kResidueParts);
    auto scale = hn::Zero(d);
    auto clipped = hn::Zero(d);
    const size_t first = row * length;
    for (size_t i = 0; i < length; i += lanes) {
      const size_t some = HWY_MIN(lanes, length - i);
      const Vec residue = load_residues(d, residues + first + i, some);
      const Vec passed =
          pass(d, hn::LoadN(d, gradient + first + i, some), residue, steps, scale, clipped);
      hn::StoreN(hn::Add(passed, damped(d, residue, strength)), d, out + first + i, some);
    }
    scale_gradients[row] = hn::ReduceSum(d, scale);
  }
}

}  // namespace
}  // namespace octet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace octet {

HWY_EXPORT(RoundKept);
HWY_EXPORT(PassKept);
HWY_EXPORT(RoundRows);
HWY_EXPORT(PassRows);

void fake_quantize(std::span<const float> in, const Grid& grid, std::span<float> out,
                   std::span<int8_t> residues) {
  HWY_DYNAMIC_DISPATCH(RoundKept)(in.data(), in.size(), grid, out.data(), residues.data());
}

GridGradient pass_inside(std::span<const float> gradient, std::span<const int8_t> residues,
                         const Grid& grid, std::span<float> out) {
  return HWY_DYNAMIC_DISPATCH(PassKept)(gradient.data(), gradient.size(), residues.data(), grid,
                                        out.data());
}

void fake_quantize(std::span<const float> in, const RowGrids& grids, std::span<float> out,
                   std::span<int8_t> residues) {
  if (grids.scales.empty()) return;
  HWY_DYNAMIC_DISPATCH(RoundRows)(in.data(), in.size() / grids.scales.size(), grids, out.data(),
                                  residues.data());
}

void pass_inside(std::span<const float> gradient, std::span<const int8_t> residues,
                 const RowGrids& grids, float damping, std::span<float> out,
                 std::span<float> scale_gradients) {
  if (grids.scales.empty()) return;
  HWY_DYNAMIC_DISPATCH(PassRows)(gradient.data(), gradient.size() / grids.scales.size(),
                                 residues.data(), grids, damping, out.data(),
                                 scale_gradients.data());
}

}  // namespace octet
#endif
