#pragma once

#include <optional>
#include <vector>

#include "graph/graph.h"

namespace octet {

/// y = scale * x + shift per output channel.
struct Affine {
  std::vector<float> scale;
  std::vector<float> shift;
};

/// The Conv or Gemm with constant weight that makes input 0 of `node` (or input `data`), where
/// nobody else reads it; nullopt otherwise.
std::optional<NodeId> foldable_producer(const Graph& graph, const Node& node, size_t data = 0);

/// Number of output channels of a Conv or Gemm.
size_t channels_of(const Graph& graph, const Node& node);

/// Multiplies the weight and moves the bias of a Conv or Gemm so that it computes affine(node).
void fold_into(Graph& graph, NodeId node, const Affine& affine);

}  // namespace octet
