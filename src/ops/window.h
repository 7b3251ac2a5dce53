#pragma once

#include <array>
#include <span>
#include <vector>

#include "graph/graph.h"

namespace octet {

/// One number per spatial dimension, the outermost first.
using Extents = std::vector<int64_t>;

/// A sliding window over any number of spatial dimensions, as Conv and the pools have it, with
/// `auto_pad` resolved.
struct SpatialWindow {
  Extents kernel;
  Extents stride;
  Extents dilation;
  Extents begin;  ///< padding before; may be negative, which cuts
  Extents end;    ///< padding after
  bool ceil = false;

  size_t rank() const { return kernel.size(); }
  bool symmetric() const { return begin == end; }
  bool dilated() const;
  /// Elements from the first to the last one that a window covers along dimension `d`.
  int64_t reach(size_t d) const { return (kernel[d] - 1) * dilation[d] + 1; }
  /// Output extent along dimension `d` for an input extent.
  int64_t output_extent(size_t d, int64_t extent) const;
};

/// Reads the window of a node over an input with the spatial extents `extents`; `kernel` is the
/// weight's, or empty where the node has to state it. Throws Code::Model for attributes that do not
/// fit the input.
SpatialWindow spatial_window_of(const Node& node, std::span<const int64_t> kernel,
                                std::span<const int64_t> extents);

/// The window of a ConvTranspose, which goes from its output to its input: the padding is what is
/// cut from the full result, and `out` the spatial extents that remain.
struct TransposedWindow {
  SpatialWindow window;
  Extents out;
};
TransposedWindow transposed_window_of(const Node& node, std::span<const int64_t> kernel,
                                      std::span<const int64_t> extents);

/// A window over rows and columns: what image kernels know.
struct Window {
  std::array<int64_t, 2> kernel{1, 1};
  std::array<int64_t, 2> stride{1, 1};
  std::array<int64_t, 2> dilation{1, 1};
  std::array<int64_t, 2> begin{0, 0};  ///< padding before, rows and columns
  std::array<int64_t, 2> end{0, 0};    ///< padding after
  bool ceil = false;

  bool symmetric() const { return begin == end; }
};

/// `spatial_window_of` over an image of `height` x `width`. Throws Code::Unsupported for a weight
/// of other than two spatial dimensions.
Window window_of(const Node& node, std::span<const int64_t> kernel, int64_t height, int64_t width);

/// Output extent along dimension `d` (0 rows, 1 columns) for an input extent.
int64_t output_extent(const Window& window, size_t d, int64_t extent);

}  // namespace octet
