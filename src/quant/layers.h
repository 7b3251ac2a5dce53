#pragma once

#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "quant/place.h"

namespace octet {

/// The unit of decision of mixed precision: nodes that compute in integers together, or in float
/// together. An operator with the activation that it takes in, or a chain that is one table, and
/// what merely moves the result (transposing, joining).
struct Layer {
  std::string name;           ///< of its first node; of the network's input "input 'x'"
  std::string op;             ///< of its first node; "input"
  std::vector<NodeId> nodes;  ///< in order; none: the network's input
  ValueId weight = kAbsent;   ///< its constant weight, if it has one
  /// Values that are rounded in it, each on a grid of its own.
  std::vector<ValueId> results;
};

/// The layers of a network as it is placed, in order: the input first, then those of the nodes that
/// make float values.
std::vector<Layer> layers_of(const Graph& graph, const Placement& placement);

/// Stretches of layers, by their indices, between the places where a single value goes from what
/// is before to what comes after: a residual block is one, and so is a layer of a plain chain. The
/// input is in none.
std::vector<std::vector<size_t>> blocks_of(const Graph& graph, std::span<const Layer> layers);

}  // namespace octet
