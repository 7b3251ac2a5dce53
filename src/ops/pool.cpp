#include <ATen/core/Tensor.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mean.h>

#include <limits>

#include "base/fail.h"
#include "ops/families.h"
#include "ops/window.h"

namespace octet {
namespace {

Window pool_window(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  if (x.dim() != 4) {
    fail(Code::Unsupported, "{}: its input has rank {}; only two spatial dimensions are supported",
         describe(call.node), x.dim());
  }
  return window_of(call.node, {}, x.size(2), x.size(3));
}

/// The output without windows that start in padding after the image: with ceil_mode they are
/// dropped, but ATen takes padding that was added before for image.
at::Tensor trimmed(const at::Tensor& pooled, const Window& window, const at::Tensor& image) {
  return pooled.slice(2, 0, output_extent(window, 0, image.size(2)))
      .slice(3, 0, output_extent(window, 1, image.size(3)));
}

std::vector<at::Tensor> run_max_pool(const OpCall& call) {
  if (call.node.outputs.size() > 1 || call.node.integer("storage_order", 0) != 0) {
    fail(Code::Unsupported, "{}: its second output (indices) is not supported",
         describe(call.node));
  }
  const Window window = pool_window(call);
  at::Tensor x = call.in(0);
  std::array<int64_t, 2> pad = window.begin;
  // ATen pads both sides alike, and by half a window at most.
  if (!window.symmetric() || 2 * pad[0] > window.kernel[0] || 2 * pad[1] > window.kernel[1]) {
    x = at::constant_pad_nd(x, {window.begin[1], window.end[1], window.begin[0], window.end[0]},
                            -std::numeric_limits<float>::infinity());
    pad = {0, 0};
  }
  return {
      trimmed(at::max_pool2d(x, window.kernel, window.stride, pad, window.dilation, window.ceil),
              window, call.in(0))};
}

std::vector<at::Tensor> run_average_pool(const OpCall& call) {
  const Window window = pool_window(call);
  if (window.dilation != std::array<int64_t, 2>{1, 1}) {
    fail(Code::Unsupported, "{}: dilations are not supported", describe(call.node));
  }
  const bool count_padding = call.node.integer("count_include_pad", 0) != 0;
  at::Tensor x = call.in(0);
  std::array<int64_t, 2> pad = window.begin;
  if (!window.symmetric()) {
    if (!count_padding) {
      fail(Code::Unsupported, "{}: uneven pads without count_include_pad are not supported",
           describe(call.node));
    }
    x = at::constant_pad_nd(x, {window.begin[1], window.end[1], window.begin[0], window.end[0]}, 0);
    pad = {0, 0};
  }
  return {trimmed(at::avg_pool2d(x, window.kernel, window.stride, pad, window.ceil, count_padding),
                  window, call.in(0))};
}

std::vector<at::Tensor> run_global_average_pool(const OpCall& call) {
  return {at::mean(call.in(0), {2, 3}, true)};
}

std::vector<at::Tensor> run_global_max_pool(const OpCall& call) {
  return {at::amax(call.in(0), {2, 3}, true)};
}

}  // namespace

std::vector<OpDef> pool_ops() {
  return {
      {.name = "MaxPool",
       .attributes = {{"auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads",
                       "storage_order", "strides"}},
       .data_inputs = 1,
       .run = run_max_pool,
       .quant = Moves{},
       .statistics = Statistics{}},
      {.name = "AveragePool",
       .attributes = {{"auto_pad", "ceil_mode", "count_include_pad", "dilations", "kernel_shape",
                       "pads", "strides"}},
       .data_inputs = 1,
       .run = run_average_pool,
       .quant = Rescale{},
       .statistics = Statistics{}},
      {.name = "GlobalAveragePool",
       .attributes = std::vector<std::string_view>{},
       .data_inputs = 1,
       .run = run_global_average_pool,
       .quant = Rescale{},
       .statistics = Statistics{}},
      {.name = "GlobalMaxPool",
       .attributes = std::vector<std::string_view>{},
       .data_inputs = 1,
       .run = run_global_max_pool,
       .quant = Moves{},
       .statistics = Statistics{}},
  };
}

}  // namespace octet
