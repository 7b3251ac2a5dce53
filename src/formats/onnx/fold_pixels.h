#pragma once

#include <optional>

#include "graph/graph.h"
#include "graph/quant_table.h"

namespace octet {

/// Convolutions of few channels in the form that ONNX Runtime's integer kernels are fast in: its
/// fast kernel wants a multiple of 4 channels and at least 16 results. So neighbours in a row
/// become the channels of one wide pixel (in memory, channels last, the same bytes), and the
/// weights are spread over them, with zeros where a pixel is not seen. Each sum has the same
/// products, and so the integers, scales and zero points are the same.
///
/// Transpose, Reshape and Transpose lead to wide pixels and back, which ONNX Runtime reduces to the
/// Reshape; pointwise operators between folded convolutions stay wide. Weights grow by the number
/// of folded neighbours, products up to four times (depthwise convolutions become dense ones).
/// Values keep their names and entries; weights and biases that were spread have names of their
/// own.
struct FoldedNetwork {
  Graph graph;
  QuantTable table;
};

/// nullopt: there is no such convolution, or none whose shapes are known.
std::optional<FoldedNetwork> fold_pixels(const Graph& graph, const QuantTable& table);

}  // namespace octet
