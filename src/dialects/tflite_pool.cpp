#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/ones.h>

#include "dialects/tflite_kernels.h"
#include "ops/window.h"

// AVERAGE_POOL_2D, or a DEPTHWISE_CONV_2D of equal weights where the grid changes.
namespace octet::lite_integers {
namespace {

/// Sums over all windows, exact below 2^24; what lies outside of the image counts as 0.
at::Tensor window_sums(const at::Tensor& x, const Window& window) {
  const int64_t rows = output_extent(window, 0, x.size(2));
  const int64_t columns = output_extent(window, 1, x.size(3));
  // Padding for the last window of ceil_mode too.
  const auto end = [&](size_t d, int64_t count, int64_t extent) {
    return std::max<int64_t>(
        0, (count - 1) * window.stride[d] + window.kernel[d] - window.begin[d] - extent);
  };
  const at::Tensor padded = at::constant_pad_nd(
      x.to(at::kFloat),
      {window.begin[1], end(1, columns, x.size(3)), window.begin[0], end(0, rows, x.size(2))});
  return at::avg_pool2d(padded, window.kernel, window.stride, {0, 0}, false, true, 1)
      .slice(2, 0, rows)
      .slice(3, 0, columns)
      .to(at::kInt);
}

/// The rounded mean: halves away from zero, of the integers as they are.
int32_t rounded_mean(int32_t sum, int32_t count) {
  return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

at::Tensor by_conv(const IntegerCall& call, const QuantParams& grid, const Window& window) {
  const auto area = static_cast<float>(window.kernel[0] * window.kernel[1]);
  const float weight = 1.0F / (127.0F * area);
  const Multiplier by =
      multiplier_of(static_cast<double>(grid.scale[0]) * static_cast<double>(weight) /
                    static_cast<double>(call.out.scale[0]));
  return requantized(window_sums(call.in(0) - grid.zero_point[0], window) * 127, 1, {},
                     {.multipliers = {by},
                      .rounding = Rounding::AwayFromZero,
                      .zero_point = call.out.zero_point[0],
                      .limits = limits_of(call)});
}

at::Tensor average_pool(const IntegerCall& call) {
  const at::Tensor& x = call.in(0);
  const QuantParams& grid = grid_of_input(call, 0);
  const Window window = window_of(call.node, {}, x.size(2), x.size(3));
  if (!same_grid(grid, call.out)) return by_conv(call, grid, window);
  const int32_t zero = grid.zero_point[0];
  const bool counts = call.node.integer("count_include_pad", 0) != 0;
  const auto area = static_cast<int32_t>(window.kernel[0] * window.kernel[1]);
  const Limits limits = limits_of(call);
  const at::Tensor sums = window_sums(counts ? x - zero : x, window);
  const at::Tensor inside =
      window_sums(at::ones({1, 1, x.size(2), x.size(3)}, x.options()), window);
  return paired(sums, inside, [&](int32_t sum, int32_t count) {
    const int32_t y = counts ? rounded_mean(sum + area * zero, area) : rounded_mean(sum, count);
    return std::clamp(y, limits.low, limits.high);
  });
}

constexpr std::array kPoolRows{DialectRow{"AveragePool", average_pool}};

}  // namespace

std::span<const DialectRow> pool_rows(Kernels) { return kPoolRows; }

}  // namespace octet::lite_integers
