#include <ATen/core/Tensor.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/convolution.h>

#include "base/fail.h"
#include "ops/families.h"
#include "ops/window.h"

namespace octet {
namespace {

std::vector<at::Tensor> run_conv(const OpCall& call) {
  at::Tensor x = call.in(0);
  const at::Tensor& weight = call.in(1);
  if (x.dim() != 4 || weight.dim() != 4) {
    fail(Code::Unsupported, "{}: its input has rank {}; only two spatial dimensions are supported",
         describe(call.node), x.dim());
  }
  const auto kernel = weight.sizes().slice(2);
  const Window window = window_of(call.node, {kernel.data(), kernel.size()}, x.size(2), x.size(3));
  std::array<int64_t, 2> pad = window.begin;
  if (!window.symmetric()) {
    x = at::constant_pad_nd(x, {window.begin[1], window.end[1], window.begin[0], window.end[0]}, 0);
    pad = {0, 0};
  }
  std::optional<at::Tensor> bias;
  if (call.has(2)) bias = call.in(2);
  return {at::convolution(x, weight, bias, window.stride, pad, window.dilation, false, {0, 0},
                          call.node.integer("group", 1))};
}

int conv_axis(const Node&, size_t) { return 0; }

}  // namespace

std::vector<OpDef> conv_ops() {
  return {{
      .name = "Conv",
      .attributes = {{"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"}},
      .data_inputs = 1,
      .run = run_conv,
      .quant = Weighted{.weight = 1, .axis = conv_axis, .bias = 2},
      .statistics = Statistics{},
  }};
}

}  // namespace octet
