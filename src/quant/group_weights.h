#pragma once

#include <span>
#include <vector>

#include "graph/graph.h"
#include "graph/group_grid.h"
#include "quant/scheme.h"

namespace octet {

/// The products whose weights can lie in groups, in order: MatMul, and Gemm that scales nothing and
/// does not turn its left operand, with a learnt constant matrix on the right.
std::vector<NodeId> grouped_products(const Graph& graph);

/// Gives every such product a matrix that nobody else reads: others would see it rounded.
void unshare_grouped_weights(Graph& graph);

/// Scale and zero point of one group.
struct GroupParams {
  float scale = 1;
  uint8_t zero_point = 0;
};

/// The ones of the least sum of squared errors among ranges from the weights' own, which always
/// holds 0, down to 0.6 of it, and zero points beside the one that this gives.
GroupParams group_params(std::span<const float> weights, const Scheme::Groups& groups);

/// Weights [outputs, inputs] in codes.
struct GroupedWeights {
  GroupGrid grid;
  std::vector<uint8_t> codes;
};

/// A grid without scales and zero points, for one to fill in.
GroupGrid empty_group_grid(int64_t outputs, int64_t inputs, const Scheme::Groups& groups);

/// Every weight to the nearest code of its group's `group_params`.
GroupedWeights round_in_groups(std::span<const float> weights, int64_t outputs,
                               const Scheme::Groups& groups);

}  // namespace octet
