#include <ATen/core/Tensor.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/max.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/max_pool3d.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/fail.h"
#include "ops/families.h"
#include "ops/window_view.h"

namespace octet {
namespace {

/// ATen's pooling of floats; `window` has two or three dimensions.
at::Tensor aten_max_pool(const at::Tensor& image, const SpatialWindow& window) {
  at::Tensor x = image;
  Extents pad = window.begin;
  // ATen pads both sides alike, and by half a window at most.
  bool own = window.symmetric();
  for (size_t d = 0; d < pad.size(); ++d) {
    own = own && pad[d] >= 0 && 2 * pad[d] <= window.kernel[d];
  }
  if (!own) {
    x = padded(x, window, -kInfinity);
    std::ranges::fill(pad, 0);
  }
  const auto pool = window.rank() == 2 ? at::max_pool2d : at::max_pool3d;
  return trimmed(pool(x, window.kernel, window.stride, pad, window.dilation, window.ceil), window,
                 image);
}

/// The number of every element in its tensor [N, C, spatial...]; with `column_major` the first
/// spatial dimension counts fastest.
at::Tensor element_numbers(const at::Tensor& x, bool column_major) {
  const at::Tensor numbers = at::arange(x.numel(), at::kLong);
  if (!column_major) return numbers.view(x.sizes());
  std::vector<int64_t> shape = x.sizes().vec();
  std::vector<int64_t> order(shape.size());
  std::iota(order.begin(), order.end(), 0);
  std::reverse(shape.begin() + 2, shape.end());
  std::reverse(order.begin() + 2, order.end());
  return numbers.view(shape).permute(order);
}

/// Every window looked through: for integers, for more than three dimensions, and for indices.
std::vector<at::Tensor> search_windows(const OpCall& call, const SpatialWindow& window) {
  const at::Tensor& x = call.in(0);
  // A type that has a number below those of the image, for the padding.
  const bool real = x.is_floating_point();
  const at::Tensor wide = real ? x : x.to(at::kLong);
  const at::Scalar low =
      real ? at::Scalar(-kInfinity) : at::Scalar(std::numeric_limits<int64_t>::lowest());
  const auto [largest, tap] =
      at::max(window_elements(padded_exactly(wide, window, low), window), -1);
  const at::Tensor values = largest.to(x.scalar_type());
  if (call.node.outputs.size() < 2) return {values};
  const at::Tensor numbers = element_numbers(x, call.node.integer("storage_order", 0) != 0);
  const at::Tensor candidates = window_elements(padded_exactly(numbers, window, -1), window);
  return {values, candidates.gather(-1, tap.unsqueeze(-1)).squeeze(-1)};
}

std::vector<at::Tensor> run_max_pool(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  SpatialWindow window = spatial_window_of(call.node, {}, spatial_extents(x));
  if (call.node.outputs.size() > 1 || !x.is_floating_point() || window.rank() > 3) {
    return search_windows(call, window);
  }
  if (window.rank() != 1) return {aten_max_pool(x, window)};
  return {aten_max_pool(x.unsqueeze(2), with_row(window)).squeeze(2)};
}

std::vector<at::Tensor> run_global_max_pool(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const std::vector<int64_t> dims = spatial_dims(x);
  return {dims.empty() ? x : at::amax(x, dims, true)};
}

/// The extents that the pooling had before it, as far as its attributes tell.
std::vector<int64_t> unpooled_shape(const OpCall& call) {
  std::vector<int64_t> shape = call.in(0).sizes().vec();
  const SpatialWindow window = spatial_window_of(call.node, {}, spatial_extents(call.in(0)));
  for (size_t d = 0; d < window.rank(); ++d) {
    shape[d + 2] =
        (shape[d + 2] - 1) * window.stride[d] + window.kernel[d] - window.begin[d] - window.end[d];
  }
  return shape;
}

std::vector<at::Tensor> run_max_unpool(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const std::vector<int64_t> shape = unpooled_shape(call);
  const at::Tensor flat = at::zeros({element_count(shape)}, x.options());
  at::Tensor image =
      flat.scatter(0, call.in(1).to(at::kLong).reshape(-1), x.reshape(-1)).view(shape);
  if (!call.has(2)) return {image};
  // Indices count in the inferred shape; a larger one that is stated adds zeros after it.
  const at::Tensor wanted = call.in(2).to(at::kLong);
  std::vector<int64_t> amounts;
  for (size_t d = shape.size(); d-- > 0;) {
    amounts.push_back(0);
    amounts.push_back(wanted[static_cast<int64_t>(d)].item<int64_t>() - shape[d]);
  }
  return {at::constant_pad_nd(image, amounts, 0)};
}

}  // namespace

std::vector<OpDef> max_pool_ops() {
  return {
      {.name = "MaxPool",
       .attributes = {{"auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads",
                       "storage_order", "strides"}},
       .data_inputs = 1,
       .run = run_max_pool,
       .quant = Moves{},
       .statistics = Statistics{}},
      {.name = "GlobalMaxPool",
       .attributes = std::vector<std::string_view>{},
       .data_inputs = 1,
       .run = run_global_max_pool,
       .quant = Moves{},
       .statistics = Statistics{}},
      {.name = "MaxUnpool",
       .attributes = {{"kernel_shape", "pads", "strides"}},
       .data_inputs = 1,
       .run = run_max_unpool,
       .quant = Moves{},
       .statistics = Statistics{}},
  };
}

}  // namespace octet
