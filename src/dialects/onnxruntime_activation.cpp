// QLinearSigmoid, QLinearLeakyRelu, QLinearSoftmax, and what runs between DequantizeLinear and
// QuantizeLinear: Relu and Clip on their own.

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>

#include <array>
#include <cmath>
#include <limits>

#include "dialects/onnxruntime.h"
#include "ops/op_def.h"

namespace octet::onnxruntime {
namespace {

at::Tensor unary(const IntegerCall& call, const RealFn& function) {
  const QuantParams& in = *call.grids[0];
  return looked_up(call.in(0), in, tabulated(call, in, function));
}

/// MLAS's logistic function: Eigen's rational approximation of tanh, by fused multiply-adds.
float logistic(float x) {
  constexpr std::array kAlpha{1.15627324459942e-07F, 6.08574864600143e-05F, 8.51377133304701e-03F,
                              2.48287947061529e-01F};
  constexpr std::array kBeta{5.76102136993427e-09F, 6.29106785017040e-06F, 1.70198817374094e-03F,
                             1.16817656904453e-01F, 9.93151921023180e-01F};
  x = std::clamp(x, -18.0F, 18.0F);
  const float squared = x * x;
  float p = 4.37031012579801e-11F;
  for (const float coefficient : kAlpha) p = std::fma(p, squared, coefficient);
  float q = 6.10247389755681e-13F;
  for (const float coefficient : kBeta) q = std::fma(q, squared, coefficient);
  return std::max(0.0F, x * p / q + 0.5F);
}

/// exp of the distance to the largest number of the row, from -255 steps to 0, raised so far that a
/// sum of `count` of them still fits into a float.
std::array<float, 256> exponentials(float scale, int64_t count) {
  constexpr double kReserve = 5;
  // The logarithm in float, the rest in double.
  const float room = std::log(std::numeric_limits<float>::max() / static_cast<float>(count));
  const double raised = std::max(0.0, room - kReserve) / scale;
  std::array<float, 256> table;
  for (int i = 0; i < 256; ++i) {
    table[static_cast<size_t>(i)] =
        static_cast<float>(std::exp((static_cast<double>(i) - 255 + raised) * scale));
  }
  return table;
}

/// Float to uint32 as x86 does it, through 64 bits: what does not fit there becomes 0. So the share
/// of a row of one number, which overflows, is 0.
uint32_t to_unsigned(float real) {
  constexpr float kBeyond = 9223372036854775808.0F;
  if (!(real >= -kBeyond && real < kBeyond)) return 0;
  return static_cast<uint32_t>(static_cast<int64_t>(real));
}

}  // namespace

at::Tensor clipped(const IntegerCall& call) {
  const auto& rule = std::get<Absorbable>(op_of(call.node).quant.value);
  const auto [low, high] = rule.bounds(call.graph, call.node);
  return unary(call, [=](float x) { return std::min(std::max(x, low), high); });
}

at::Tensor moved(const IntegerCall& call) {
  return unary(call, [](float x) { return x; });
}

at::Tensor sigmoid(const IntegerCall& call) { return unary(call, logistic); }

at::Tensor leaky_relu(const IntegerCall& call) {
  const float alpha = call.node.number("alpha", 0.01F);
  return unary(call, [=](float x) { return x >= 0 ? x : alpha * x; });
}

at::Tensor softmax(const IntegerCall& call) {
  const StoredGrid in = stored_input(call, 0);
  const StoredGrid out = stored(call, call.out);
  const auto [low, high] = range_of(call);
  const int64_t axis = call.node.integer("axis", -1);
  const at::Tensor rows = call.in(0).transpose(axis, -1).contiguous();
  const auto length = static_cast<size_t>(rows.size(-1));
  const std::array<float, 256> table = exponentials(in.scale, rows.size(-1));
  const float steps = std::floor(1.0F / out.scale);
  at::Tensor result = at::empty_like(rows);
  for (size_t at = 0; at < static_cast<size_t>(rows.numel()); at += length) {
    const std::span<const int32_t> row(rows.const_data_ptr<int32_t>() + at, length);
    const int32_t largest = std::ranges::max(row);
    const auto power = [&](int32_t q) { return table[static_cast<size_t>(255 + q - largest)]; };
    float sum = 0;
    for (const int32_t q : row) sum += power(q);
    std::ranges::transform(row, result.data_ptr<int32_t>() + at, [&](int32_t q) {
      const uint32_t share = to_unsigned(std::nearbyint(power(q) * steps / sum));
      const uint32_t stored = std::min(share + static_cast<uint32_t>(out.zero_point), 255U);
      return std::clamp(static_cast<int32_t>(stored) - out.moved, low, high);
    });
  }
  return result.transpose(axis, -1);
}

}  // namespace octet::onnxruntime
