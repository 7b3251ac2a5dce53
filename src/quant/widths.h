#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/io.h"
#include "quant/node_targets.h"
#include "quant/override.h"
#include "quant/scheme.h"

namespace octet {

/// The nodes that compute on 16-bit activations where the scheme has 8: those that are told so,
/// each with the activation behind it.
std::set<NodeId> nodes_on_16_bits(const Graph& graph, const Scheme& scheme,
                                  const std::map<NodeId, Override>& chosen);

/// The values on grids of 16 bits: what such nodes make and read. What has no width of its own (the
/// network's input, what nodes in float make, copies) has that of the integer nodes that read it,
/// and 8 bits where these differ. Integers at the ends of files (`io`) have 8.
std::set<ValueId> values_on_16_bits(const Graph& graph, const NodeTargets& targets,
                                    const std::map<NodeId, std::string>& in_float, Io io);

/// Puts a copy wherever a value has another width than the nodes that read it: "x/int16" of "x".
/// What is told a node by the name of an output that a copy takes over is told it by its own name
/// too. Throws Code::Usage as `chosen_by_node` does.
void copy_between_widths(Graph& graph, const TargetSet& targets, const Scheme& scheme,
                         std::vector<Override>& overrides, Io io);

}  // namespace octet
