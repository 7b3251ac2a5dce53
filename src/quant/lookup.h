#pragma once

#include <map>
#include <set>
#include <vector>

#include "graph/graph.h"
#include "graph/quant_table.h"
#include "kernels/range.h"
#include "quant/node_targets.h"

namespace octet {

/// Pointwise nodes that make a function of one value, computed together by one table: its entry for
/// each integer of the source is the integer of the result. One rounding, whatever the functions
/// are.
struct Chain {
  ValueId source;
  std::vector<NodeId> nodes;  ///< in order; the last one makes the result
};

/// The chains that must be tables, by their result: those with a node that a target of the set
/// has no integer kernel for, or none that writes the grid that the result is given; none where a
/// target knows no tables. A chain is as long as its inner values have no other reader and no given
/// grid; nodes that stay out of it (`apart`) are in none. A copy from one width to the other is
/// apart from what is before and behind it; one that widens is a chain of its own.
std::map<ValueId, Chain> find_chains(const Graph& graph, const NodeTargets& targets,
                                     const QuantTable& given = {},
                                     const std::set<NodeId>& apart = {});

/// Where the chain's values lie when its source is on a grid. What that grid cannot tell from 0
/// does not count: there an inverse has its pole.
Range chain_range(const Graph& graph, const Chain& chain, const QuantParams& in);

/// The entries of a chain for every integer from in.low to in.high. Not-a-number becomes 0,
/// infinities saturate. Rounds half to even.
std::vector<int32_t> tabulate(const Graph& graph, const Chain& chain, const QuantParams& in,
                              const QuantParams& out);

}  // namespace octet
