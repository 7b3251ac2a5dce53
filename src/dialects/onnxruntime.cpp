#include "dialects/onnxruntime.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/round.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "base/fail.h"
#include "graph/quantize_tensor.h"

namespace octet {
namespace onnxruntime {

StoredGrid stored(const IntegerCall& call, const QuantParams& params) {
  if (!params.per_tensor()) {
    fail(Code::Unsupported, "{}: an activation has {} scales; wanted one per tensor",
         describe(call.node), params.scale.size());
  }
  const int32_t moved = params.type == DType::Int8 && params.low == -128 ? 128 : 0;
  return {params.scale[0], params.zero_point[0] + moved, params.low + moved, params.high + moved,
          moved};
}

StoredGrid stored_input(const IntegerCall& call, size_t index) {
  return stored(call, *call.grids[index]);
}

std::pair<int32_t, int32_t> range_of(const IntegerCall& call) {
  const Grid grid = grid_of(call.out);
  return {quantize(call.bounds.first, grid), quantize(call.bounds.second, grid)};
}

at::Tensor centred(const IntegerCall& call, size_t index) {
  const at::Tensor& integers = call.in(index);
  const QuantParams& params = *call.grids[index];
  if (params.per_tensor())
    return params.zero_point[0] == 0 ? integers : integers - params.zero_point[0];
  if (std::ranges::all_of(params.zero_point, [](int32_t zero) { return zero == 0; })) {
    return integers;
  }
  fail(Code::Unsupported, "{}: a weight has zero points; wanted a symmetric one",
       describe(call.node));
}

at::Tensor requantized(const at::Tensor& sums, const at::Tensor& multiplier,
                       const IntegerCall& call) {
  const auto [low, high] = range_of(call);
  const int32_t zero = call.out.zero_point[0];
  return sums.to(at::kFloat)
      .mul_(multiplier)
      .clamp_(low - zero, high - zero)
      .round_()
      .to(at::kInt)
      .add_(zero);
}

int32_t to_integer(float real) {
  constexpr float kBeyond = 2147483648.0F;
  if (!(real >= -kBeyond && real < kBeyond)) return std::numeric_limits<int32_t>::min();
  return static_cast<int32_t>(std::nearbyint(real));
}

std::vector<int32_t> tabulated(const IntegerCall& call, const QuantParams& in,
                               const RealFn& function) {
  const Grid from = grid_of(in);
  const Grid to = grid_of(call.out);
  const auto [low, high] = range_of(call);
  std::vector<int32_t> entries;
  for (int32_t q = in.low; q <= in.high; ++q) {
    entries.push_back(std::clamp(quantize(function(dequantize(q, from)), to), low, high));
  }
  return entries;
}

at::Tensor looked_up(const at::Tensor& integers, const QuantParams& in,
                     std::span<const int32_t> entries) {
  const at::Tensor from =
      integers.is_non_overlapping_and_dense() ? integers : integers.contiguous();
  at::Tensor out = at::empty_like(from);
  const std::span<const int32_t> q(from.const_data_ptr<int32_t>(),
                                   static_cast<size_t>(from.numel()));
  const auto last = static_cast<int32_t>(entries.size()) - 1;
  std::ranges::transform(q, out.data_ptr<int32_t>(), [&](int32_t integer) {
    return entries[static_cast<size_t>(std::clamp(integer - in.low, 0, last))];
  });
  return out;
}

namespace {

/// QuantizeLinear (MlasQuantizeLinear): the quotient in float, saturated, rounded half to even.
at::Tensor quantize_linear(const at::Tensor& real, const QuantParams& grid) {
  if (!grid.per_tensor()) {
    fail(Code::Unsupported, "an activation has {} scales; wanted one per tensor",
         grid.scale.size());
  }
  const int32_t zero = grid.zero_point[0];
  return real.div(grid.scale[0])
      .clamp_(grid.low - zero, grid.high - zero)
      .round_()
      .to(at::kInt)
      .add_(zero);
}

constexpr std::array kRows{
    DialectRow{"Conv", conv},
    DialectRow{"Gemm", gemm},
    DialectRow{"MatMul", matmul},
    DialectRow{"Add", add},
    DialectRow{"Mul", mul},
    DialectRow{"Where", where},
    DialectRow{"Concat", concat},
    DialectRow{"Relu", clipped},
    DialectRow{"Clip", clipped},
    DialectRow{"Identity", moved},
    DialectRow{"Sigmoid", sigmoid},
    DialectRow{"LeakyRelu", leaky_relu},
    DialectRow{"Softmax", softmax},
    DialectRow{"AveragePool", average_pool},
    DialectRow{"GlobalAveragePool", global_average_pool},
    DialectRow{"Resize", resize},
};

/// The rows of processors that add products in pairs.
std::vector<DialectRow> rows_in_pairs() {
  constexpr std::array kOthers{DialectRow{"Conv", conv_in_pairs}, DialectRow{"Gemm", gemm_in_pairs},
                               DialectRow{"MatMul", matmul_in_pairs}};
  std::vector<DialectRow> rows(kOthers.begin(), kOthers.end());
  for (const DialectRow& row : kRows) {
    if (!std::ranges::contains(kOthers, row.op, &DialectRow::op)) rows.push_back(row);
  }
  return rows;
}

}  // namespace
}  // namespace onnxruntime

const Dialect& onnxruntime_avx2_dialect() {
  static const std::vector<DialectRow> rows = onnxruntime::rows_in_pairs();
  static const Dialect dialect{
      .name = "ONNX Runtime without VNNI", .quantize = onnxruntime::quantize_linear, .rows = rows};
  return dialect;
}

const Dialect& onnxruntime_dialect() {
  static const Dialect dialect{
      .name = "ONNX Runtime", .quantize = onnxruntime::quantize_linear, .rows = onnxruntime::kRows};
  return dialect;
}

}  // namespace octet
