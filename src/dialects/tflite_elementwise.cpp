#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>

#include "dialects/tflite_kernels.h"
#include "ops/op_def.h"

// ADD, SUB, MUL, PRELU, MAXIMUM and MINIMUM: both sets of kernels compute alike.
namespace octet::lite_integers {
namespace {

constexpr int kHeadroom = 20;  // bits that a term is shifted left by before it is scaled

/// One term of a sum on the common scale of both, twice the larger one, times 2^-20.
Int8Table term(const QuantParams& grid, double common) {
  const Multiplier by = multiplier_of(static_cast<double>(grid.scale[0]) / common);
  return table_of(
      [&](int32_t x) { return scaled(wrapping_shift(x - grid.zero_point[0], kHeadroom), by); });
}

template <int32_t kSign>
at::Tensor sum(const IntegerCall& call) {
  const QuantParams& a = grid_of_input(call, 0);
  const QuantParams& b = grid_of_input(call, 1);
  const auto common = static_cast<double>(2 * std::max(a.scale[0], b.scale[0]));
  const Multiplier by = multiplier_of(
      common / static_cast<double>(static_cast<float>(1 << kHeadroom) * call.out.scale[0]));
  const Int8Table left = term(a, common);
  const Int8Table right = term(b, common);
  const Limits limits = limits_of(call);
  const int32_t zero = call.out.zero_point[0];
  return paired(call.in(0), call.in(1), [&](int32_t x, int32_t y) {
    const int32_t raw =
        left[static_cast<uint8_t>(x + 128)] + kSign * right[static_cast<uint8_t>(y + 128)];
    return std::clamp(scaled(raw, by) + zero, limits.low, limits.high);
  });
}

/// The same of 16 bits, which leave less room.
template <int32_t kSign>
at::Tensor wide_sum(const IntegerCall& call) {
  constexpr int kWideHeadroom = 15;
  const float a = grid_of_input(call, 0).scale[0];
  const float b = grid_of_input(call, 1).scale[0];
  const auto common = static_cast<double>(2 * std::max(a, b));
  const Multiplier left = multiplier_of(static_cast<double>(a) / common);
  const Multiplier right = multiplier_of(static_cast<double>(b) / common);
  const Multiplier by = multiplier_of(
      common / static_cast<double>(static_cast<float>(1 << kWideHeadroom) * call.out.scale[0]));
  const Limits limits = limits_of(call);
  return paired(call.in(0), call.in(1), [&](int32_t x, int32_t y) {
    const int32_t raw = scaled(wrapping_shift(x, kWideHeadroom), left) +
                        kSign * scaled(wrapping_shift(y, kWideHeadroom), right);
    return std::clamp(scaled(raw, by), limits.low, limits.high);
  });
}

/// A product with a number that has no grid is written as 127 x (number / 127), in 16 bits with
/// 32767.
at::Tensor scaled_by(const IntegerCall& call, size_t data, double factor) {
  const QuantParams& grid = grid_of_input(call, data);
  const int32_t most = limits_of(call.out.type).high;
  const Multiplier by = multiplier_of(
      static_cast<double>(grid.scale[0] * static_cast<float>(factor / most) / call.out.scale[0]));
  const Limits limits = limits_of(call);
  return each(call.in(data), [&](int32_t x) {
    const int32_t product = most * (x - grid.zero_point[0]);
    return std::clamp(scaled(product, by) + call.out.zero_point[0], limits.low, limits.high);
  });
}

at::Tensor mul(const IntegerCall& call) {
  const size_t data = call.graph.is_constant(call.node.inputs[0]) ? 1 : 0;
  if (!call.grids[1 - data]) {
    const auto factor = std::get<Rescale>(op_of(call.node).quant.value).factor;
    return scaled_by(call, data, factor(call.graph, call.node));
  }
  const QuantParams& a = grid_of_input(call, 0);
  const QuantParams& b = grid_of_input(call, 1);
  const Multiplier by =
      multiplier_of(static_cast<double>(a.scale[0] * b.scale[0] / call.out.scale[0]));
  const Limits limits = limits_of(call);
  return paired(call.in(0), call.in(1), [&](int32_t x, int32_t y) {
    const int32_t product = (x - a.zero_point[0]) * (y - b.zero_point[0]);
    return std::clamp(wrapping_add(scaled(product, by), call.out.zero_point[0]), limits.low,
                      limits.high);
  });
}

at::Tensor prelu(const IntegerCall& call) {
  const QuantParams& x_grid = grid_of_input(call, 0);
  const QuantParams& slope_grid = grid_of_input(call, 1);
  const float out = call.out.scale[0];
  const Multiplier above = multiplier_of(static_cast<double>(x_grid.scale[0] / out));
  const Multiplier below =
      multiplier_of(static_cast<double>(x_grid.scale[0] * slope_grid.scale[0] / out));
  return paired(call.in(0), call.in(1), [&](int32_t x, int32_t slope) {
    const int32_t value = x - x_grid.zero_point[0];
    const int32_t y = value >= 0 ? scaled(value, above)
                                 : scaled(value * (slope - slope_grid.zero_point[0]), below);
    return std::clamp(wrapping_add(y, call.out.zero_point[0]), call.out.low, call.out.high);
  });
}

/// An operand on the grid of the result, by a QUANTIZE before the operator.
at::Tensor on_result_grid(const IntegerCall& call, size_t index) {
  const QuantParams& grid = grid_of_input(call, index);
  if (same_grid(grid, call.out)) return call.in(index);
  const Multiplier by = regrid_multiplier(grid, call.out);
  return each(call.in(index), [&](int32_t x) { return regridded(x, grid, call.out, by); });
}

template <at::Tensor (*kChoose)(const at::Tensor&, const at::Tensor&)>
at::Tensor extreme(const IntegerCall& call) {
  at::Tensor out = on_result_grid(call, 0);
  for (size_t i = 1; i < call.inputs.size(); ++i) out = kChoose(out, on_result_grid(call, i));
  return out;
}

constexpr std::array kElementwiseRows{
    DialectRow{"Add", sum<1>},
    DialectRow{"Sub", sum<-1>},
    DialectRow{"Mul", mul},
    DialectRow{"PRelu", prelu},
    DialectRow{"Max", extreme<at::maximum>},
    DialectRow{"Min", extreme<at::minimum>},
};

constexpr std::array kWide{
    DialectRow{"Add", wide_sum<1>},
    DialectRow{"Sub", wide_sum<-1>},
    DialectRow{"Mul", mul},
    DialectRow{"Max", extreme<at::maximum>},
    DialectRow{"Min", extreme<at::minimum>},
};

}  // namespace

std::span<const DialectRow> elementwise_rows(Kernels kernels) {
  return kernels == Kernels::Wide ? std::span<const DialectRow>(kWide) : kElementwiseRows;
}

}  // namespace octet::lite_integers
