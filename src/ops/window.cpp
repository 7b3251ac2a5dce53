#include "ops/window.h"

#include <algorithm>

#include "base/fail.h"

namespace octet {
namespace {

/// One positive number per spatial dimension; ones where the node states none.
Extents positive(const Node& node, std::string_view attribute, size_t rank) {
  Extents given = node.integers(attribute, Extents(rank, 1));
  if (given.size() != rank) {
    fail(Code::Model, "{}: '{}' has {} entries, wanted {}", describe(node), attribute, given.size(),
         rank);
  }
  for (const int64_t number : given) {
    if (number < 1) {
      fail(Code::Model, "{}: '{}' holds {}; it has to be above 0", describe(node), attribute,
           number);
    }
  }
  return given;
}

/// All but the padding.
SpatialWindow unpadded_window(const Node& node, std::span<const int64_t> kernel, size_t rank) {
  if (!kernel.empty() && kernel.size() != rank) {
    fail(Code::Model, "{}: its weight has {} spatial dimensions, its input {}", describe(node),
         kernel.size(), rank);
  }
  if (kernel.empty() && !node.has("kernel_shape")) {
    fail(Code::Model, "{}: it has no 'kernel_shape'", describe(node));
  }
  SpatialWindow window;
  window.kernel.assign(kernel.begin(), kernel.end());
  if (node.has("kernel_shape")) window.kernel = positive(node, "kernel_shape", rank);
  window.stride = positive(node, "strides", rank);
  window.dilation = positive(node, "dilations", rank);
  window.ceil = node.integer("ceil_mode", 0) != 0;
  window.begin.assign(rank, 0);
  window.end.assign(rank, 0);
  return window;
}

void read_pads(const Node& node, SpatialWindow& window) {
  const size_t rank = window.rank();
  const Extents pads = node.integers("pads", Extents(2 * rank, 0));
  if (pads.size() != 2 * rank) {
    fail(Code::Model, "{}: 'pads' has {} entries, wanted {}", describe(node), pads.size(),
         2 * rank);
  }
  const auto middle = pads.begin() + static_cast<std::ptrdiff_t>(rank);
  window.begin.assign(pads.begin(), middle);
  window.end.assign(middle, pads.end());
}

enum class AutoPad : uint8_t { Stated, SameUpper, SameLower, Valid };

AutoPad auto_pad_of(const Node& node) {
  const std::string text = node.text("auto_pad", "NOTSET");
  if (text == "NOTSET") return AutoPad::Stated;
  if (text == "SAME_UPPER") return AutoPad::SameUpper;
  if (text == "SAME_LOWER") return AutoPad::SameLower;
  if (text == "VALID") return AutoPad::Valid;
  fail(Code::Model, "{}: auto_pad is '{}'", describe(node), text);
}

/// Splits padding; where it is odd, one side gets one more.
void split(SpatialWindow& window, size_t d, int64_t total, bool more_after) {
  window.begin[d] = more_after ? total / 2 : total - total / 2;
  window.end[d] = total - window.begin[d];
}

}  // namespace

bool SpatialWindow::dilated() const {
  return std::ranges::any_of(dilation, [](int64_t step) { return step != 1; });
}

int64_t SpatialWindow::output_extent(size_t d, int64_t extent) const {
  const int64_t room = extent + begin[d] + end[d] - reach(d);
  if (!ceil) return room / stride[d] + 1;
  int64_t out = (room + stride[d] - 1) / stride[d] + 1;
  // A window that would start in the padding after the input is dropped (ONNX and PyTorch agree).
  if ((out - 1) * stride[d] >= extent + begin[d]) --out;
  return out;
}

SpatialWindow spatial_window_of(const Node& node, std::span<const int64_t> kernel,
                                std::span<const int64_t> extents) {
  SpatialWindow window = unpadded_window(node, kernel, extents.size());
  const AutoPad automatic = auto_pad_of(node);
  if (automatic == AutoPad::Valid) return window;
  if (automatic == AutoPad::Stated) {
    read_pads(node, window);
    return window;
  }
  for (size_t d = 0; d < window.rank(); ++d) {
    const int64_t out = (extents[d] + window.stride[d] - 1) / window.stride[d];
    const int64_t total = (out - 1) * window.stride[d] + window.reach(d) - extents[d];
    split(window, d, std::max<int64_t>(0, total), automatic == AutoPad::SameUpper);
  }
  return window;
}

TransposedWindow transposed_window_of(const Node& node, std::span<const int64_t> kernel,
                                      std::span<const int64_t> extents) {
  const size_t rank = extents.size();
  TransposedWindow found{unpadded_window(node, kernel, rank), Extents(rank)};
  SpatialWindow& window = found.window;
  const AutoPad automatic = auto_pad_of(node);
  const bool same = automatic == AutoPad::SameUpper || automatic == AutoPad::SameLower;
  if (automatic == AutoPad::Stated) read_pads(node, window);
  const Extents extra = node.integers("output_padding", Extents(rank, 0));
  const Extents wanted = node.integers("output_shape");
  if (extra.size() != rank || (!wanted.empty() && wanted.size() != rank)) {
    fail(Code::Model, "{}: 'output_padding' or 'output_shape' has not {} entries", describe(node),
         rank);
  }
  for (size_t d = 0; d < rank; ++d) {
    const int64_t full = window.stride[d] * (extents[d] - 1) + extra[d] + window.reach(d);
    if (wanted.empty() && !same) {
      found.out[d] = full - window.begin[d] - window.end[d];
      continue;
    }
    found.out[d] = wanted.empty() ? extents[d] * window.stride[d] : wanted[d];
    // What is missing from a result that is too small comes after it (as ONNX Runtime does it).
    split(window, d, std::max<int64_t>(0, full - found.out[d]), automatic == AutoPad::SameUpper);
  }
  return found;
}

Window window_of(const Node& node, std::span<const int64_t> kernel, int64_t height, int64_t width) {
  if (!kernel.empty() && kernel.size() != 2) {
    fail(Code::Unsupported, "{}: {} spatial dimensions; only two are supported", describe(node),
         kernel.size());
  }
  const SpatialWindow window = spatial_window_of(node, kernel, std::array{height, width});
  const auto pair = [](const Extents& extents) { return std::array{extents[0], extents[1]}; };
  return {.kernel = pair(window.kernel),
          .stride = pair(window.stride),
          .dilation = pair(window.dilation),
          .begin = pair(window.begin),
          .end = pair(window.end),
          .ceil = window.ceil};
}

int64_t output_extent(const Window& window, size_t d, int64_t extent) {
  const SpatialWindow one{.kernel = {window.kernel[d]},
                          .stride = {window.stride[d]},
                          .dilation = {window.dilation[d]},
                          .begin = {window.begin[d]},
                          .end = {window.end[d]},
                          .ceil = window.ceil};
  return one.output_extent(0, extent);
}

}  // namespace octet
