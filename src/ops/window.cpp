#include "ops/window.h"

#include "base/fail.h"

namespace octet {
namespace {

std::array<int64_t, 2> pair_of(const Node& node, std::string_view attribute, int64_t fallback) {
  const auto given = node.integers(attribute, {fallback, fallback});
  if (given.size() != 2) {
    fail(Code::Unsupported, "{}: '{}' has {} entries; only two spatial dimensions are supported",
         describe(node), attribute, given.size());
  }
  return {given[0], given[1]};
}

}  // namespace

Window window_of(const Node& node, std::span<const int64_t> kernel, int64_t height, int64_t width) {
  Window window;
  if (kernel.size() == 2) window.kernel = {kernel[0], kernel[1]};
  if (kernel.empty() || node.has("kernel_shape")) window.kernel = pair_of(node, "kernel_shape", 1);
  if (!kernel.empty() && kernel.size() != 2) {
    fail(Code::Unsupported, "{}: {} spatial dimensions; only two are supported", describe(node),
         kernel.size());
  }
  window.stride = pair_of(node, "strides", 1);
  window.dilation = pair_of(node, "dilations", 1);
  window.ceil = node.integer("ceil_mode", 0) != 0;

  const std::string auto_pad = node.text("auto_pad", "NOTSET");
  if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
    const std::array<int64_t, 2> extent{height, width};
    for (size_t d = 0; d < 2; ++d) {
      const int64_t out = (extent[d] + window.stride[d] - 1) / window.stride[d];
      const int64_t reach = (window.kernel[d] - 1) * window.dilation[d] + 1;
      const int64_t total = std::max<int64_t>(0, (out - 1) * window.stride[d] + reach - extent[d]);
      const int64_t small = total / 2;
      window.begin[d] = auto_pad == "SAME_UPPER" ? small : total - small;
      window.end[d] = total - window.begin[d];
    }
  } else if (auto_pad == "NOTSET") {
    const auto pads = node.integers("pads", {0, 0, 0, 0});
    if (pads.size() != 4) {
      fail(Code::Unsupported, "{}: 'pads' has {} entries, wanted 4", describe(node), pads.size());
    }
    window.begin = {pads[0], pads[1]};
    window.end = {pads[2], pads[3]};
  } else if (auto_pad != "VALID") {
    fail(Code::Model, "{}: auto_pad is '{}'", describe(node), auto_pad);
  }
  return window;
}

int64_t output_extent(const Window& window, size_t d, int64_t extent) {
  const int64_t reach = (window.kernel[d] - 1) * window.dilation[d] + 1;
  const int64_t room = extent + window.begin[d] + window.end[d] - reach;
  if (!window.ceil) return room / window.stride[d] + 1;
  int64_t out = (room + window.stride[d] - 1) / window.stride[d] + 1;
  // A window that would start in the padding after the input is dropped (ONNX and PyTorch agree).
  if ((out - 1) * window.stride[d] >= extent + window.begin[d]) --out;
  return out;
}

}  // namespace octet
