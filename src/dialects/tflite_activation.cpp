#include <cmath>
#include <numbers>

#include "dialects/tflite_kernels.h"
#include "graph/quantize_tensor.h"
#include "ops/op_def.h"

// Operators of one int8 tensor, each computed once for all 256 integers.
namespace octet::lite_integers {
namespace {

/// LUTPopulateInt8: the function in float, times the reciprocal of the result's scale.
template <class Function>
at::Tensor by_float(const IntegerCall& call, Function function) {
  const QuantParams& x = grid_of_input(call, 0);
  const float inverse = 1 / call.out.scale[0];
  return mapped(call.in(0), table_of([&](int32_t integer) {
                  const float real = x.scale[0] * static_cast<float>(integer - x.zero_point[0]);
                  const float steps = std::round(function(real) * inverse);
                  const float shifted = steps + static_cast<float>(call.out.zero_point[0]);
                  return std::clamp(truncated(shifted), -128, 127);
                }));
}

float logistic_of(float x) { return 1.0F / (1.0F + std::exp(-x)); }

at::Tensor sigmoid(const IntegerCall& call) { return by_float(call, logistic_of); }
at::Tensor tangent(const IntegerCall& call) {
  return by_float(call, [](float x) { return std::tanh(x); });
}
at::Tensor exponential(const IntegerCall& call) {
  return by_float(call, [](float x) { return std::exp(x); });
}
/// ELU knows alpha = 1 alone; with another one the file has a table.
at::Tensor elu(const IntegerCall& call) {
  const float alpha = call.node.number("alpha", 1);
  return by_float(call, [alpha](float x) { return x < 0.0F ? alpha * std::expm1(x) : x; });
}

at::Tensor gelu(const IntegerCall& call) {
  if (call.node.text("approximate", "none") == "tanh") {
    constexpr auto kRoot =
        static_cast<float>(2 * std::numbers::inv_sqrtpi * (std::numbers::sqrt2 / 2));
    return by_float(call, [](float x) {
      return 0.5F * x * (1.0F + std::tanh(kRoot * (x + 0.044715F * x * x * x)));
    });
  }
  constexpr auto kRootHalf = static_cast<float>(-std::numbers::sqrt2 / 2);
  return by_float(call, [](float x) { return 0.5F * x * std::erfc(x * kRootHalf); });
}

at::Tensor leaky_relu(const IntegerCall& call) {
  const QuantParams& x = grid_of_input(call, 0);
  const float alpha = call.node.number("alpha", 0.01F);
  const float out = call.out.scale[0];
  const Multiplier above = multiplier_of(static_cast<double>(x.scale[0] / out));
  const Multiplier below = multiplier_of(static_cast<double>(x.scale[0] * alpha / out));
  return mapped(call.in(0), table_of([&](int32_t integer) {
                  const int32_t value = integer - x.zero_point[0];
                  const int32_t y = scaled(value, value >= 0 ? above : below);
                  return std::clamp(wrapping_add(y, call.out.zero_point[0]), -128, 127);
                }));
}

/// RELU and RELU6 as operators of their own; other clips are MAXIMUM and MINIMUM of the integers of
/// one grid, or a QUANTIZE to the narrower grid, which may have 16 bits before.
at::Tensor clip(const IntegerCall& call) {
  const QuantParams& x = grid_of_input(call, 0);
  const auto bounds =
      std::get<Absorbable>(op_of(call.node).quant.value).bounds(call.graph, call.node);
  const bool relu = bounds == std::pair{0.0F, kInfinity} || bounds == std::pair{0.0F, 6.0F};
  if (!relu && same_grid(x, call.out)) {
    const Grid grid = grid_of(call.out);
    return call.in(0).clamp(quantize(bounds.first, grid), quantize(bounds.second, grid));
  }
  if (!relu) {
    const Multiplier by = regrid_multiplier(x, call.out);
    const auto regrid = [&](int32_t integer) { return regridded(integer, x, call.out, by); };
    return x.type == DType::Int16 ? each(call.in(0), regrid) : mapped(call.in(0), table_of(regrid));
  }
  const Limits limits = limits_of({.graph = call.graph,
                                   .node = call.node,
                                   .inputs = call.inputs,
                                   .grids = call.grids,
                                   .out = call.out,
                                   .bounds = bounds});
  const Multiplier by = multiplier_of(static_cast<double>(x.scale[0] / call.out.scale[0]));
  return mapped(call.in(0), table_of([&](int32_t integer) {
                  const int32_t y = scaled(integer - x.zero_point[0], by);
                  return std::clamp(wrapping_add(y, call.out.zero_point[0]), limits.low,
                                    limits.high);
                }));
}

int16_t int16_multiplier(int32_t mantissa) {
  constexpr int32_t kHalf = 1 << 15;
  if (mantissa >= std::numeric_limits<int32_t>::max() - kHalf) return 32767;
  return static_cast<int16_t>((mantissa + kHalf) >> 16);
}
int16_t saturated16(int32_t x) { return static_cast<int16_t>(std::clamp(x, -32768, 32767)); }
/// a x b / 2^15, halves up.
int16_t high_product16(int16_t a, int16_t b) {
  return saturated16((int32_t{a} * int32_t{b} + (1 << 14)) >> 15);
}

/// HARD_SWISH in 16 bits: x times relu6(x + 3) / 6.
struct HardSwish {
  int16_t out_multiplier;
  int out_exponent;
  int16_t relu_multiplier;
  int relu_exponent;

  HardSwish(float in, float out) {
    const float fine = (1.0F / 128.0F) * in;
    const Multiplier to_out = multiplier_of(static_cast<double>(fine / out));
    const Multiplier to_relu = multiplier_of(static_cast<double>(fine / (3.0F / 32768.0F)));
    out_multiplier = int16_multiplier(to_out.mantissa);
    out_exponent = to_out.exponent;
    relu_multiplier = int16_multiplier(to_relu.mantissa);
    relu_exponent = to_relu.exponent;
  }

  int32_t operator()(int32_t value) const {
    const auto fine = static_cast<int16_t>(value * 128);
    const int16_t unshifted = high_product16(fine, out_multiplier);
    int16_t relu = fine;
    if (relu_exponent > 0) relu = saturated_left(relu, relu_exponent - 1);
    relu = high_product16(relu, relu_multiplier);
    if (relu_exponent > 0) relu = saturated_left(relu, 1);
    if (relu_exponent < 0) relu = static_cast<int16_t>(divided(relu, -relu_exponent));
    relu = static_cast<int16_t>((relu + (1 << 15)) >> 1);
    const auto product = static_cast<int16_t>(int32_t{relu} * unshifted / (1 << 15));
    return divided(product, -out_exponent);
  }

 private:
  static int16_t saturated_left(int16_t x, int by) {
    return static_cast<int16_t>(std::clamp<int64_t>(int64_t{x} << by, -32768, 32767));
  }
};

at::Tensor hard_swish(const IntegerCall& call) {
  const QuantParams& x = grid_of_input(call, 0);
  const HardSwish swish(x.scale[0], call.out.scale[0]);
  return mapped(call.in(0), table_of([&](int32_t integer) {
                  const int32_t y = swish(integer - x.zero_point[0]) + call.out.zero_point[0];
                  return std::clamp<int32_t>(static_cast<int16_t>(y), -128, 127);
                }));
}

at::Tensor absolute(const IntegerCall& call) {
  const QuantParams& x = grid_of_input(call, 0);
  const Multiplier by = multiplier_of(static_cast<double>(x.scale[0] / call.out.scale[0]));
  return mapped(call.in(0), table_of([&](int32_t integer) {
                  const int32_t y = scaled(std::abs(integer - x.zero_point[0]), by);
                  return std::clamp(wrapping_add(y, call.out.zero_point[0]), -128, 127);
                }));
}

constexpr std::array kActivationRows{
    DialectRow{"Relu", clip},
    DialectRow{"Clip", clip},
    DialectRow{"LeakyRelu", leaky_relu},
    DialectRow{"HardSwish", hard_swish},
    DialectRow{"Sigmoid", sigmoid},
    DialectRow{"Tanh", tangent},
    DialectRow{"Exp", exponential},
    DialectRow{"Gelu", gelu},
    DialectRow{"Abs", absolute},
    DialectRow{"Elu", elu},  // last: the reference kernels have none
};

}  // namespace

std::span<const DialectRow> activation_rows(Kernels kernels) {
  if (kernels == Kernels::Wide) return wide_activation_rows();
  return std::span(kActivationRows)
      .first(kActivationRows.size() - (kernels == Kernels::Reference ? 1 : 0));
}

}  // namespace octet::lite_integers
