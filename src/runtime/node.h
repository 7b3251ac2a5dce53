#pragma once

#include <span>
#include <vector>

#include "graph/graph.h"

namespace octet {

/// The outputs of one node as ONNX Runtime computes them. `inputs`: one tensor per input of the
/// node; those that it does not give (kAbsent) are ignored. Throws Code::Unsupported naming the
/// node where ONNX Runtime has no kernel for it.
std::vector<Tensor> run_node(const Node& node, std::span<const Tensor> inputs);

}  // namespace octet
