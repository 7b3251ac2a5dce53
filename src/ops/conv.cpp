#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/mkldnn_convolution.h>

#include <algorithm>

#include "base/fail.h"
#include "ops/families.h"
#include "ops/window_view.h"

namespace octet {
namespace {

/// The extents of the weight's kernel. Throws Code::Unsupported for ranks that ATen does not
/// convolve.
Extents kernel_of(const OpCall& call) {
  const int64_t rank = call.in(0).dim();
  if (rank < 3 || rank > 5) {
    fail(Code::Unsupported,
         "{}: its input has rank {}; one to three spatial dimensions are supported",
         describe(call.node), rank);
  }
  return spatial_extents(call.in(1));
}

std::optional<at::Tensor> bias_of(const OpCall& call) {
  return call.has(2) ? std::optional(call.in(2)) : std::nullopt;
}

/// Of small batches ATen convolves some by the BLAS, which differs from thread count to thread
/// count and may be the reference one, a hundred times slower. Where no gradient is asked for, its
/// kernel for the others is taken for all.
bool suits_onednn(const at::Tensor& x, const at::Tensor& weight) {
  return !at::GradMode::is_enabled() && at::globalContext().hasMKLDNN() && x.dim() == 4 &&
         x.numel() > 0 && x.scalar_type() == at::kFloat && weight.scalar_type() == at::kFloat &&
         x.is_contiguous(at::MemoryFormat::ChannelsLast) &&
         weight.is_contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor convolved(const OpCall& call, at::Tensor x, const at::Tensor& weight,
                     const std::optional<at::Tensor>& bias) {
  const SpatialWindow window = spatial_window_of(call.node, kernel_of(call), spatial_extents(x));
  Extents pad = window.begin;
  // ATen pads both sides alike, and cuts nothing.
  if (!window.symmetric() || std::ranges::min(pad) < 0) {
    x = padded(x, window, 0);
    std::ranges::fill(pad, 0);
  }
  const int64_t group = call.node.integer("group", 1);
  if (suits_onednn(x, weight)) {
    return at::mkldnn_convolution(x, weight, bias, pad, window.stride, window.dilation, group);
  }
  return at::convolution(x, weight, bias, window.stride, pad, window.dilation, false,
                         Extents(window.rank(), 0), group);
}

std::vector<at::Tensor> run_conv(const OpCall& call) {
  return {convolved(call, call.in(0), call.in(1), bias_of(call))};
}

/// The integers without their zero point (none: 0) as doubles, in which every sum is exact. A zero
/// point per output channel stands along dimension 0.
at::Tensor centered(const at::Tensor& integers, const at::Tensor& zero) {
  const at::Tensor wide = integers.to(at::kDouble);
  if (!zero.defined()) return wide;
  std::vector<int64_t> shape(static_cast<size_t>(wide.dim()), 1);
  shape[0] = zero.numel();
  return wide - zero.to(at::kDouble).view(shape);
}

std::vector<at::Tensor> run_conv_integer(const OpCall& call) {
  const at::Tensor x = centered(call.in(0), call.in(2));
  return {convolved(call, x, centered(call.in(1), call.in(3)), std::nullopt).to(at::kInt)};
}

/// The full result, cut to its padding and extents, where ATen's own padding cannot say it.
at::Tensor transposed_and_cut(const OpCall& call, const TransposedWindow& transposed) {
  const SpatialWindow& window = transposed.window;
  const Extents none(window.rank(), 0);
  const at::Tensor full =
      at::convolution(call.in(0), call.in(1), std::nullopt, window.stride, none, window.dilation,
                      true, none, call.node.integer("group", 1));
  const Extents extents = spatial_extents(full);
  std::vector<int64_t> amounts;
  for (size_t d = window.rank(); d-- > 0;) {
    amounts.push_back(-window.begin[d]);
    amounts.push_back(transposed.out[d] + window.begin[d] - extents[d]);
  }
  const at::Tensor cut = at::constant_pad_nd(full, amounts, 0);
  if (!call.has(2)) return cut;
  std::vector<int64_t> shape(static_cast<size_t>(cut.dim()), 1);
  shape[1] = -1;
  return cut + call.in(2).view(shape);
}

std::vector<at::Tensor> run_conv_transpose(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const TransposedWindow transposed =
      transposed_window_of(call.node, kernel_of(call), spatial_extents(x));
  const SpatialWindow& window = transposed.window;
  // ATen cuts `begin` on both sides, and gives back less than a step after the result.
  Extents extra(window.rank());
  bool direct = true;
  for (size_t d = 0; d < window.rank(); ++d) {
    const int64_t full =
        window.stride[d] * (x.size(static_cast<int64_t>(d) + 2) - 1) + window.reach(d);
    extra[d] = transposed.out[d] - (full - 2 * window.begin[d]);
    direct = direct && window.begin[d] >= 0 && extra[d] >= 0 &&
             extra[d] < std::max(window.stride[d], window.dilation[d]);
  }
  if (!direct) return {transposed_and_cut(call, transposed)};
  return {at::convolution(x, call.in(1), bias_of(call), window.stride, window.begin,
                          window.dilation, true, extra, call.node.integer("group", 1))};
}

int conv_axis(const Node&, size_t) { return 0; }

/// Weights are [in, out / group, ...]. With groups an output channel is an index of both: no axis.
int conv_transpose_axis(const Node& node, size_t) { return node.integer("group", 1) == 1 ? 1 : -1; }

}  // namespace

std::vector<OpDef> conv_ops() {
  return {
      {.name = "Conv",
       .attributes = {{"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"}},
       .data_inputs = 1,
       .run = run_conv,
       .quant = Weighted{.weight = 1, .axis = conv_axis, .bias = 2},
       .statistics = Statistics{}},
      {.name = "ConvInteger",
       .attributes = {{"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"}},
       .data_inputs = 2,
       .run = run_conv_integer,
       .quant = FloatOnly{"it computes on integers of its own"},
       .statistics = Statistics{}},
      {.name = "ConvTranspose",
       .attributes = {{"auto_pad", "dilations", "group", "kernel_shape", "output_padding",
                       "output_shape", "pads", "strides"}},
       .data_inputs = 1,
       .run = run_conv_transpose,
       .quant = Weighted{.weight = 1, .axis = conv_transpose_axis, .bias = 2},
       .statistics = Statistics{}},
  };
}

}  // namespace octet
