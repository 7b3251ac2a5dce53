#pragma once

#include <array>
#include <span>

#include "graph/graph.h"

namespace octet {

/// A 2-D sliding window as Conv and the pools have it, with `auto_pad` resolved.
struct Window {
  std::array<int64_t, 2> kernel{1, 1};
  std::array<int64_t, 2> stride{1, 1};
  std::array<int64_t, 2> dilation{1, 1};
  std::array<int64_t, 2> begin{0, 0};  ///< padding before, rows and columns
  std::array<int64_t, 2> end{0, 0};    ///< padding after
  bool ceil = false;

  bool symmetric() const { return begin == end; }
};

/// Reads the window of a node over an input of `height` x `width`; `kernel` is the weight's where
/// the node states none. Throws Code::Unsupported for other than two spatial dimensions.
Window window_of(const Node& node, std::span<const int64_t> kernel, int64_t height, int64_t width);

/// Output extent along dimension `d` (0 rows, 1 columns) for an input extent.
int64_t output_extent(const Window& window, size_t d, int64_t extent);

}  // namespace octet
