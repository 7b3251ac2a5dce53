#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "graph/graph.h"
#include "quant/place.h"

namespace octet {

/// The operator has an input for a bias, given or not.
bool takes_bias(const Node& node);

/// How the bias is called that `add_bias` gives; files hold it under this name.
std::string added_bias_name(const Node& node);

/// Gives the node, whose weight has a grid, a bias of zeros, with its place among the groups. The
/// node takes a bias, and has none. `solve_constants` makes its entry.
ValueId add_bias(Graph& graph, Placement& placement, NodeId node, int64_t channels);

/// Takes an error in the mean of each output channel from the bias of such a node, which gets one
/// where it had none.
void take_from_bias(Graph& graph, Placement& placement, NodeId node, const at::Tensor& error);

}  // namespace octet
