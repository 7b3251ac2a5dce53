#include "dialects/tflite_kernels.h"

#include <ATen/ExpandUtils.h>

#include "base/fail.h"
#include "ops/op_def.h"

namespace octet::lite_integers {
namespace {

using Bounds = std::pair<float, float>;
int32_t on_grid(const QuantParams& grid, float real) {
  return grid.zero_point[0] + truncated(std::round(real / grid.scale[0]));
}

bool is_fused(Bounds bounds) {
  return bounds == Bounds{0.0F, kInfinity} || bounds == Bounds{0.0F, 6.0F} ||
         bounds == Bounds{-1.0F, 1.0F};
}

/// Of a grid around 0 the lower half falls away by RELU, the rest by saturation.
bool is_half_fused(const IntegerCall& call) {
  return call.out.type == DType::Int16 && call.bounds.first == 0;
}

}  // namespace

Limits limits_of(const IntegerCall& call) {
  Limits limits{.low = call.out.low, .high = call.out.high};
  if (!is_fused(call.bounds) && !is_half_fused(call)) return limits;
  limits.low = std::max(limits.low, on_grid(call.out, call.bounds.first));
  if (call.bounds.second < kInfinity) {
    limits.high = std::min(limits.high, on_grid(call.out, call.bounds.second));
  }
  return limits;
}

Limits limits_of(DType type) {
  return {.low = static_cast<int32_t>(lowest(type)), .high = static_cast<int32_t>(highest(type))};
}

const QuantParams& grid_of_input(const IntegerCall& call, size_t index) {
  if (index < call.grids.size() && call.grids[index]) return *call.grids[index];
  fail(Code::Unsupported, "TFLite's integers of {}: its input {} has no quantization parameters",
       describe(call.node), index);
}

at::Tensor mapped(const at::Tensor& x, const Int8Table& table) {
  const at::Tensor dense = x.is_non_overlapping_and_dense() ? x : x.contiguous();
  at::Tensor out = at::empty_like(dense);
  const int32_t* from = dense.const_data_ptr<int32_t>();
  int32_t* to = out.mutable_data_ptr<int32_t>();
  for (int64_t i = 0; i < out.numel(); ++i) {
    to[i] = table[static_cast<uint8_t>(from[i] + 128)];
  }
  return out;
}

std::pair<at::Tensor, at::Tensor> broadcast(const at::Tensor& a, const at::Tensor& b) {
  const std::vector<int64_t> shape = at::infer_size(a.sizes(), b.sizes());
  const at::MemoryFormat format =
      (a.dim() >= b.dim() && a.numel() >= b.numel() ? a : b).suggest_memory_format();
  return {a.expand(shape).contiguous(format), b.expand(shape).contiguous(format)};
}

namespace {

/// Multipliers of the channels, spread for the inner loop.
struct Channels {
  std::vector<int32_t> bias;
  std::vector<Multiplier> multiplier;

  Channels(int64_t count, const at::Tensor& given, const std::vector<Multiplier>& multipliers)
      : bias(static_cast<size_t>(count), 0), multiplier(static_cast<size_t>(count)) {
    const at::Tensor flat = given.defined() ? given.contiguous().view({-1}) : given;
    for (size_t c = 0; c < bias.size(); ++c) {
      if (flat.defined()) {
        bias[c] = flat.const_data_ptr<int32_t>()[flat.numel() == 1 ? 0 : c];
      }
      multiplier[c] = multipliers[multipliers.size() == 1 ? 0 : c];
    }
  }
};

template <int32_t (*kScale)(int32_t, Multiplier)>
void requantize_rows(int32_t* data, int64_t rows, const Channels& channels,
                     const Requantization& to) {
  const size_t count = channels.bias.size();
  for (int64_t row = 0; row < rows; ++row, data += count) {
    for (size_t c = 0; c < count; ++c) {
      const int32_t sum = wrapping_add(data[c], channels.bias[c]);
      const int32_t x = wrapping_add(kScale(sum, channels.multiplier[c]), to.zero_point);
      data[c] = std::clamp(x, to.limits.low, to.limits.high);
    }
  }
}

}  // namespace

at::Tensor requantized(at::Tensor sums, int64_t axis, const at::Tensor& bias,
                       const Requantization& to) {
  at::Tensor rows = sums.movedim(axis, -1).contiguous();
  const int64_t count = rows.size(-1);
  if (rows.numel() == 0) return rows.movedim(-1, axis);
  const Channels channels(count, bias, to.multipliers);
  auto* run = to.rounding == Rounding::Up ? requantize_rows<scaled_up> : requantize_rows<scaled>;
  run(rows.mutable_data_ptr<int32_t>(), rows.numel() / count, channels, to);
  return rows.movedim(-1, axis);
}

namespace {

/// PopulateConvolutionQuantizationParams: one multiplier per output channel, in double.
std::vector<Multiplier> per_channel(const QuantParams& x, const QuantParams& w,
                                    const QuantParams& out) {
  std::vector<Multiplier> multipliers;
  for (const float scale : w.scale) {
    multipliers.push_back(
        multiplier_of(static_cast<double>(x.scale[0]) * static_cast<double>(scale) /
                      static_cast<double>(out.scale[0])));
  }
  return multipliers;
}

/// GetQuantizedConvolutionMultipler: the product of both scales is a float.
std::vector<Multiplier> per_tensor(const QuantParams& x, const QuantParams& w,
                                   const QuantParams& out) {
  const float product = x.scale[0] * w.scale[0];
  return {multiplier_of(static_cast<double>(product) / static_cast<double>(out.scale[0]))};
}

}  // namespace

std::vector<Multiplier> product_multipliers(const IntegerCall& call) {
  const QuantParams& x = grid_of_input(call, 0);
  const QuantParams& w = grid_of_input(call, 1);
  const bool matrices = call.node.op == "Gemm" || call.node.op == "MatMul";
  return matrices && w.scale.size() == 1 ? per_tensor(x, w, call.out) : per_channel(x, w, call.out);
}

Multiplier regrid_multiplier(const QuantParams& from, const QuantParams& to) {
  return multiplier_of(static_cast<double>(from.scale[0]) / static_cast<double>(to.scale[0]));
}

int32_t regridded(int32_t x, const QuantParams& from, const QuantParams& to, Multiplier by) {
  const int32_t y = wrapping_add(scaled(x - from.zero_point[0], by), to.zero_point[0]);
  return std::clamp(y, to.low, to.high);
}

}  // namespace octet::lite_integers
