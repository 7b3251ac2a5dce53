// QLinearAveragePool (sums in float) and QLinearGlobalAveragePool (sums in integers).

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tensor.h>

#include <array>
#include <cstdint>

#include "base/fail.h"
#include "dialects/onnxruntime.h"
#include "ops/window.h"

namespace octet::onnxruntime {
namespace {

constexpr size_t kRank = 3;  ///< spatial dimensions; those that an input lacks have one element
using Place = std::array<int64_t, kRank>;

/// A window over the last dimensions of a box.
class Box {
 public:
  explicit Box(const SpatialWindow& window) : window_(window), first_(kRank - window.rank()) {}

  Place filled(std::span<const int64_t> extents) const {
    Place place{1, 1, 1};
    std::ranges::copy(extents, place.begin() + static_cast<int64_t>(first_));
    return place;
  }
  /// The part of the window at output index `at` that lies on the image, along dimension `d`.
  std::pair<int64_t, int64_t> covered(size_t d, int64_t at, int64_t extent) const {
    if (d < first_) return {0, 1};
    const size_t own = d - first_;
    const int64_t begin = at * window_.stride[own] - window_.begin[own];
    return {std::max<int64_t>(begin, 0), std::min(begin + window_.kernel[own], extent)};
  }
  /// Elements of a whole window.
  int64_t size() const { return element_count(window_.kernel); }

 private:
  SpatialWindow window_;
  size_t first_;
};

/// The averages of the windows of images in channels-last order; each sum is taken in float, row by
/// row.
class FloatAverages {
 public:
  FloatAverages(const IntegerCall& call, const SpatialWindow& window)
      : box_(window),
        counts_padding_(call.node.integer("count_include_pad", 0) != 0),
        grid_(stored(call, call.out)),
        range_(range_of(call)) {}

  /// `image` holds `channels` numbers per pixel. Returns where the next image's results go.
  int32_t* operator()(const float* image, const Place& extents, const Place& out, int64_t channels,
                      int32_t* to) const {
    std::vector<float> sums(static_cast<size_t>(channels));
    for (int64_t a = 0; a < out[0]; ++a) {
      for (int64_t b = 0; b < out[1]; ++b) {
        for (int64_t c = 0; c < out[2]; ++c) {
          const int64_t seen = sum_window(image, extents, {a, b, c}, sums);
          to = finish(sums, counts_padding_ ? box_.size() : seen, to);
        }
      }
    }
    return to;
  }

 private:
  /// Returns how many pixels the window covers.
  int64_t sum_window(const float* image, const Place& extents, const Place& at,
                     std::vector<float>& sums) const {
    const auto [z0, z1] = box_.covered(0, at[0], extents[0]);
    const auto [y0, y1] = box_.covered(1, at[1], extents[1]);
    const auto [x0, x1] = box_.covered(2, at[2], extents[2]);
    std::ranges::fill(sums, 0.0F);
    for (int64_t z = z0; z < z1; ++z) {
      for (int64_t y = y0; y < y1; ++y) {
        for (int64_t x = x0; x < x1; ++x) {
          const int64_t pixel = (z * extents[1] + y) * extents[2] + x;
          const float* values = image + pixel * static_cast<int64_t>(sums.size());
          for (size_t c = 0; c < sums.size(); ++c) sums[c] += values[c];
        }
      }
    }
    return (z1 - z0) * (y1 - y0) * (x1 - x0);
  }

  int32_t* finish(std::span<const float> sums, int64_t count, int32_t* to) const {
    const auto zero = static_cast<float>(grid_.zero_point);
    for (const float sum : sums) {
      const float mean = sum / static_cast<float>(count);
      const int32_t q = to_integer(mean / grid_.scale + zero);
      *to++ = std::clamp(q, range_.first + grid_.moved, range_.second + grid_.moved) - grid_.moved;
    }
    return to;
  }

  Box box_;
  bool counts_padding_;
  StoredGrid grid_;
  std::pair<int32_t, int32_t> range_;
};

/// The window is the whole image, without padding: ONNX Runtime takes the other kernel.
bool is_global(const SpatialWindow& window, std::span<const int64_t> extents) {
  const auto none = [](const Extents& pads) {
    return std::ranges::all_of(pads, [](int64_t p) { return p == 0; });
  };
  return std::ranges::equal(window.kernel, extents) && none(window.begin) && none(window.end);
}

}  // namespace

at::Tensor global_average_pool(const IntegerCall& call) {
  const at::Tensor& x = call.in(0);
  std::vector<int64_t> spatial;
  for (int64_t d = 2; d < x.dim(); ++d) spatial.push_back(d);
  const auto pixels = static_cast<float>(element_count(x.sizes().slice(2)));
  const at::Tensor sums = at::sum(centred(call, 0), spatial, true, at::kInt);
  const float multiplier = stored_input(call, 0).scale / (call.out.scale[0] * pixels);
  return requantized(sums, at::tensor(multiplier), call);
}

at::Tensor average_pool(const IntegerCall& call) {
  const at::Tensor& x = call.in(0);
  const auto extents = x.sizes().slice(2);
  const SpatialWindow window = spatial_window_of(call.node, {}, extents);
  if (is_global(window, extents)) return global_average_pool(call);
  if (window.dilated()) {
    fail(Code::Unsupported,
         "{}: it has dilations, which ONNX Runtime refuses in integers; lower it to a convolution",
         describe(call.node));
  }
  if (window.rank() > kRank) {
    fail(Code::Unsupported, "{}: {} spatial dimensions; ONNX Runtime averages over at most {}",
         describe(call.node), window.rank(), kRank);
  }
  std::vector<int64_t> shape{x.size(0)};
  for (size_t d = 0; d < window.rank(); ++d) shape.push_back(window.output_extent(d, extents[d]));
  const Box box(window);
  const Place out = box.filled(std::span(shape).subspan(1));
  shape.push_back(x.size(1));
  at::Tensor result = at::empty(shape, at::kInt);
  const at::Tensor real = centred(call, 0).to(at::kFloat).mul_(stored_input(call, 0).scale);
  const at::Tensor images = real.movedim(1, -1).contiguous();
  const FloatAverages averages(call, window);
  auto* to = result.data_ptr<int32_t>();
  for (int64_t n = 0; n < x.size(0); ++n) {
    to = averages(images.select(0, n).const_data_ptr<float>(), box.filled(extents), out, x.size(1),
                  to);
  }
  return result.movedim(-1, 1);
}

}  // namespace octet::onnxruntime
