#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace octet {

/// What a network costs for one image.
struct Cost {
  /// Numbers that training learns: elements of float constants, each constant once. Running
  /// statistics and single numbers (bounds, factors) do not count.
  int64_t parameters = 0;
  /// Of convolutions and matrix products; biases and all other operators do not count.
  int64_t multiply_adds = 0;
};

/// Counts while the network runs on one zero image: no shape has to be known. Throws what
/// `Executor` throws.
Cost cost_of(const Graph& graph);

/// Elements of the largest value that a node makes of one image. Shapes must be known.
int64_t largest_activation(const Graph& graph);

}  // namespace octet
