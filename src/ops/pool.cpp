#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/avg_pool3d.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

#include "base/fail.h"
#include "ops/families.h"
#include "ops/window_view.h"

namespace octet {
namespace {

bool counts_padding(const OpCall& call) { return call.node.integer("count_include_pad", 0) != 0; }

/// How many elements of the windows along dimension `d` count, shaped to divide [N, C, out...].
at::Tensor counts_along(const SpatialWindow& window, size_t d, const at::Tensor& x,
                        bool count_padding) {
  const int64_t extent = x.size(static_cast<int64_t>(d) + 2);
  const int64_t low = count_padding ? -window.begin[d] : 0;
  const int64_t high = count_padding ? extent + window.end[d] : extent;
  std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
  shape[d + 2] = window.output_extent(d, extent);
  std::vector<double> counts;
  for (int64_t o = 0; o < shape[d + 2]; ++o) {
    const int64_t start = o * window.stride[d] - window.begin[d];
    int64_t count = 0;
    for (int64_t k = 0; k < window.kernel[d]; ++k) {
      const int64_t at = start + k * window.dilation[d];
      count += at >= low && at < high ? 1 : 0;
    }
    // A window of nothing but padding averages to 0.
    counts.push_back(static_cast<double>(std::max<int64_t>(1, count)));
  }
  return at::tensor(counts, x.options().dtype(at::kDouble)).to(x.scalar_type()).view(shape);
}

/// Sums over the windows divided by their counts: for padding and dilations that ATen lacks.
at::Tensor counted_average(const at::Tensor& x, const SpatialWindow& window, bool count_padding) {
  const at::Tensor image = padded_exactly(x, window, 0);
  at::Tensor result;
  if (window.dilated() || window.rank() < 2 || window.rank() > 3) {
    result = window_elements(image, window).sum(-1);
  } else {
    const auto pool = window.rank() == 2 ? at::avg_pool2d : at::avg_pool3d;
    result = pool(image, window.kernel, window.stride, Extents(window.rank(), 0), false, false, 1);
  }
  for (size_t d = 0; d < window.rank(); ++d) {
    result = result / counts_along(window, d, x, count_padding);
  }
  return result;
}

/// ATen pads both sides alike, and by half a window at most.
bool aten_averages(const SpatialWindow& window) {
  if (!window.symmetric() || window.dilated()) return false;
  if (window.rank() < 2 || window.rank() > 3) return false;
  for (size_t d = 0; d < window.rank(); ++d) {
    if (window.begin[d] < 0 || 2 * window.begin[d] > window.kernel[d]) return false;
  }
  return true;
}

at::Tensor average(const at::Tensor& x, const SpatialWindow& window, bool count_padding) {
  if (!aten_averages(window)) return counted_average(x, window, count_padding);
  const auto pool = window.rank() == 2 ? at::avg_pool2d : at::avg_pool3d;
  return trimmed(
      pool(x, window.kernel, window.stride, window.begin, window.ceil, count_padding, std::nullopt),
      window, x);
}

std::vector<at::Tensor> run_average_pool(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const SpatialWindow window = spatial_window_of(call.node, {}, spatial_extents(x));
  // ATen averages volumes in no half precision.
  const bool widen = window.rank() > 2 && at::isReducedFloatingType(x.scalar_type());
  const at::Tensor result = average(widen ? x.to(at::kFloat) : x, window, counts_padding(call));
  return {result.to(x.scalar_type())};
}

std::vector<at::Tensor> run_lp_pool(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const SpatialWindow window = spatial_window_of(call.node, {}, spatial_extents(x));
  return {at::linalg_vector_norm(window_elements(padded_exactly(x, window, 0), window),
                                 call.node.integer("p", 2), -1)};
}

std::vector<at::Tensor> run_global_average_pool(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const std::vector<int64_t> dims = spatial_dims(x);
  return {dims.empty() ? x : at::mean(x, dims, true)};
}

std::vector<at::Tensor> run_global_lp_pool(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const std::vector<int64_t> dims = spatial_dims(x);
  if (dims.empty()) return {x.abs()};
  return {at::linalg_vector_norm(x, call.node.integer("p", 2), dims, true)};
}

OpDef pool(std::string_view name, std::vector<std::string_view> attributes, RunFn run) {
  return {.name = name,
          .attributes = std::move(attributes),
          .data_inputs = 1,
          .run = run,
          .quant = Rescale{},
          .statistics = Statistics{}};
}

}  // namespace

std::vector<OpDef> pool_ops() {
  return {
      pool("AveragePool",
           {"auto_pad", "ceil_mode", "count_include_pad", "dilations", "kernel_shape", "pads",
            "strides"},
           run_average_pool),
      pool("LpPool", {"auto_pad", "ceil_mode", "dilations", "kernel_shape", "p", "pads", "strides"},
           run_lp_pool),
      pool("GlobalAveragePool", {}, run_global_average_pool),
      pool("GlobalLpPool", {"p"}, run_global_lp_pool),
  };
}

}  // namespace octet
