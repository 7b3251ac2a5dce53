#pragma once

#include <vector>

#include "graph/graph.h"
#include "graph/quant_table.h"
#include "quant/place.h"

namespace octet {

/// A part of a network that makes one value from another.
struct Stretch {
  std::vector<NodeId> nodes;  ///< in order
  ValueId input = kAbsent;
  ValueId output = kAbsent;
};

/// The network cut wherever a single quantized value lives: residual blocks come in one piece, and
/// so do branches that meet again. A stretch without constant weights belongs to the one before
/// it. Together they are the whole order, from the network's input to its output.
std::vector<Stretch> cut_where_narrow(const Graph& graph, const QuantTable& table);

/// The nodes of a stretch whose weights are rounded constants, each with the activation that its
/// rounding absorbs, in order.
std::vector<Stretch> layers_of(const Graph& graph, const Stretch& stretch,
                               const Placement& placement);

/// The nodes of the stretch on the way to `output`.
Stretch up_to(const Graph& graph, const Stretch& stretch, ValueId output);

/// The weight of a node that rounding places on a grid of its own; kAbsent: there is none.
ValueId weight_of(const Graph& graph, NodeId node, const Placement& placement);

}  // namespace octet
