// QLinearAdd, QLinearMul, QLinearWhere.

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/where.h>

#include <cmath>

#include "dialects/onnxruntime.h"

namespace octet::onnxruntime {
namespace {

/// Which operand MLAS takes as B. Broadcasting runs over spans of the innermost dimensions that are
/// alike; where the first operand gives one number per span, the two are exchanged. Their order
/// shows in the last bit of the float sum.
bool exchanged(const at::Tensor& a, const at::Tensor& b) {
  const int64_t shared = std::min(a.dim(), b.dim());
  for (int64_t d = 1; d <= shared; ++d) {
    const int64_t largest = std::max(a.size(-d), b.size(-d));
    if (largest > 1 || d == shared) return a.size(-d) == 1;
  }
  return a.dim() == 0 || a.size(-1) == 1;
}

/// MLAS's addition of two stored integers (AVX2 kernel, which newer processors use too): all
/// constant terms in one, then a fused multiply-add per operand, B's first.
struct Addition {
  StoredGrid a;
  StoredGrid b;
  StoredGrid c;
  std::pair<int32_t, int32_t> range;
  float ratio_a = a.scale / c.scale;
  float ratio_b = b.scale / c.scale;
  float fixed = 0;

  int32_t operator()(int32_t qa, int32_t qb) const {
    const float sum =
        std::fma(static_cast<float>(qa), ratio_a, std::fma(static_cast<float>(qb), ratio_b, fixed));
    return std::clamp(to_integer(sum) - c.moved, range.first, range.second);
  }
};

Addition addition(const StoredGrid& a, const StoredGrid& b, const IntegerCall& call) {
  Addition sum{.a = a, .b = b, .c = stored(call, call.out), .range = range_of(call)};
  const auto zero_a = static_cast<float>(a.zero_point);
  const auto zero_b = static_cast<float>(b.zero_point);
  // The compiler of ONNX Runtime fuses one of these products, A's, with the sum.
  sum.fixed =
      static_cast<float>(sum.c.zero_point) - std::fma(sum.ratio_a, zero_a, sum.ratio_b * zero_b);
  return sum;
}

}  // namespace

at::Tensor add(const IntegerCall& call) {
  constexpr int kSide = 256;
  const size_t first = exchanged(call.in(0), call.in(1)) ? 1 : 0;
  const size_t second = 1 - first;
  const Addition sum = addition(stored_input(call, first), stored_input(call, second), call);
  // One number per pair, so that its result can be looked up.
  const int32_t low_a = call.grids[first]->low;
  const int32_t low_b = call.grids[second]->low;
  const at::Tensor from_a = call.in(first)-low_a;
  const at::Tensor from_b = call.in(second)-low_b;
  at::Tensor pairs = from_a * kSide + from_b;
  if (!pairs.is_non_overlapping_and_dense()) pairs = pairs.contiguous();
  const auto value = [&](int32_t pair) {
    return sum(pair / kSide + low_a + sum.a.moved, pair % kSide + low_b + sum.b.moved);
  };
  at::Tensor out = at::empty_like(pairs);
  const std::span<const int32_t> from(pairs.const_data_ptr<int32_t>(),
                                      static_cast<size_t>(pairs.numel()));
  auto* to = out.data_ptr<int32_t>();
  if (from.size() < kSide * kSide) {
    std::ranges::transform(from, to, value);
    return out;
  }
  std::vector<int32_t> table;
  for (int32_t pair = 0; pair < kSide * kSide; ++pair) table.push_back(value(pair));
  std::ranges::transform(
      from, to, [&](int32_t pair) { return table[static_cast<size_t>(pair) % table.size()]; });
  return out;
}

at::Tensor mul(const IntegerCall& call) {
  const StoredGrid a = stored_input(call, 0);
  const StoredGrid b = stored_input(call, 1);
  const StoredGrid c = stored(call, call.out);
  const auto [low, high] = range_of(call);
  const float ratio = a.scale * b.scale / c.scale;
  // Rounded after the product and after the sum. What does not fit an integer becomes the smallest.
  at::Tensor real = (centred(call, 0) * centred(call, 1)).to(at::kFloat);
  real.mul_(ratio).add_(c.zero_point).round_();
  real = at::where(real < 2147483648.0F, real, static_cast<float>(c.low));
  return real.clamp_(low + c.moved, high + c.moved).to(at::kInt).sub_(c.moved);
}

at::Tensor where(const IntegerCall& call) {
  const auto chosen = [&](size_t index) {
    const QuantParams& grid = *call.grids[index];
    return looked_up(call.in(index), grid, tabulated(call, grid, [](float x) { return x; }));
  };
  return at::where(call.in(0).to(at::kBool), chosen(1), chosen(2));
}

}  // namespace octet::onnxruntime
