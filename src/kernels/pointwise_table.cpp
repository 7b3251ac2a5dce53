#include "kernels/pointwise_table.h"

#include "kernels/sized_vectors.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pointwise_table.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/grid_steps-inl.h"

HWY_BEFORE_NAMESPACE();
namespace octet::HWY_NAMESPACE {
namespace {

using Codes = hn::Rebind<uint8_t, Floats>;
using Indices = hn::Rebind<int32_t, Floats>;

struct LookedUp {
  Vec out;
  hn::Vec<Indices> codes;
  hn::Vec<Indices> residues;
};

HWY_INLINE LookedUp look_up_vector(Floats d, Vec in, const Steps& steps, const float* table) {
  const Indices di;
  const Rounded rounded = round_steps(d, in, steps);
  const auto last = hn::Set(di, static_cast<int32_t>(steps.high - steps.low));
  const auto code = hn::NearestInt(hn::Sub(rounded.steps, hn::Set(d, steps.low)));
  // Not-a-number becomes some index of the table, and comes through beside it.
  const auto index = hn::Min(hn::Max(code, hn::Zero(di)), last);
  const auto out = hn::IfThenElse(hn::IsNaN(in), in, hn::GatherIndex(d, table, index));
  return {out, index, rounded.residue};
}

void LookUp(const float* in, size_t count, const Grid& grid, const float* table, float* out,
            uint8_t* codes, int8_t* residues) {
  const Steps steps(grid);
  const Floats d;
  const Codes dc;
  const Residues dr;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const LookedUp found = look_up_vector(d, hn::LoadU(d, in + i), steps, table);
    hn::StoreU(found.out, d, out + i);
    hn::StoreU(hn::DemoteTo(dc, found.codes), dc, codes + i);
    hn::StoreU(hn::DemoteTo(dr, found.residues), dr, residues + i);
  }
  if (i == count) return;
  const size_t rest = count - i;
  const LookedUp found = look_up_vector(d, hn::LoadN(d, in + i, rest), steps, table);
  hn::StoreN(found.out, d, out + i, rest);
  hn::StoreN(hn::DemoteTo(dc, found.codes), dc, codes + i, rest);
  hn::StoreN(hn::DemoteTo(dr, found.residues), dr, residues + i, rest);
}

struct Sums {
  Vec scale, result;
};

HWY_INLINE Vec pass_vector(Floats d, Vec gradient, hn::Vec<Indices> code, Vec residue,
                           const Steps& steps, const TableSlopes& slopes, Sums& sums) {
  const auto source = hn::Mul(gradient, hn::GatherIndex(d, slopes.source.data(), code));
  sums.result = hn::MulAdd(gradient, hn::GatherIndex(d, slopes.result.data(), code), sums.result);
  const Moved moved = moved_by(d, residue, steps);
  sums.scale = hn::MulAdd(source, moved.steps, sums.scale);
  return hn::IfThenZeroElse(moved.clipped, source);
}

TableGradient PassTable(const float* gradient, size_t count, const uint8_t* codes,
                        const int8_t* residues, const Grid& grid, const TableSlopes& slopes,
                        float* out) {
  const Steps steps(grid);
  const Floats d;
  const Indices di;
  const Codes dc;
  const size_t lanes = hn::Lanes(d);
  Sums sums{hn::Zero(d), hn::Zero(d)};
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto code = hn::PromoteTo(di, hn::LoadU(dc, codes + i));
    hn::StoreU(pass_vector(d, hn::LoadU(d, gradient + i), code, load_residues(d, residues + i),
                           steps, slopes, sums),
               d, out + i);
  }
  if (i < count) {
    const size_t rest = count - i;
    const auto code = hn::PromoteTo(di, hn::LoadN(dc, codes + i, rest));
    hn::StoreN(pass_vector(d, hn::LoadN(d, gradient + i, rest), code,
                           load_residues(d, residues + i, rest), steps, slopes, sums),
               d, out + i, rest);
  }
  return {.source = hn::ReduceSum(d, sums.scale), .result = hn::ReduceSum(d, sums.result)};
}

}  // namespace
}  // namespace octet::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace octet {

HWY_EXPORT(LookUp);
HWY_EXPORT(PassTable);

void look_up(std::span<const float> in, const Grid& grid, std::span<const float> table,
             std::span<float> out, std::span<uint8_t> codes, std::span<int8_t> residues) {
  HWY_DYNAMIC_DISPATCH(LookUp)(in.data(), in.size(), grid, table.data(), out.data(), codes.data(),
                               residues.data());
}

TableGradient pass_table(std::span<const float> gradient, std::span<const uint8_t> codes,
                         std::span<const int8_t> residues, const Grid& grid,
                         const TableSlopes& slopes, std::span<float> out) {
  return HWY_DYNAMIC_DISPATCH(PassTable)(gradient.data(), gradient.size(), codes.data(),
                                         residues.data(), grid, slopes, out.data());
}

}  // namespace octet
#endif
