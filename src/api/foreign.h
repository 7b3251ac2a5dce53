#pragma once

#include "graph/graph.h"

namespace octet {

/// From now on ONNX Runtime computes the nodes that octet has no kernel of: networks with such
/// nodes can be calibrated and quantized around them.
void run_foreign_nodes();

/// Throws Code::Unsupported naming the first such node: training needs its gradient.
void require_gradients(const Graph& graph);

}  // namespace octet
