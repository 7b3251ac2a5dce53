#pragma once

#include "graph/graph.h"

namespace octet {

/// A constant that every reader takes as its weight (`Weighted`, with an axis of output channels).
/// Its integers surround 0 and are stored as int8 wherever activations are uint8.
bool is_weight(const Graph& graph, ValueId id);

}  // namespace octet
