#pragma once

#include <span>
#include <vector>

#include "graph/graph.h"

namespace octet {

/// No node: who makes a graph input, or a constant.
inline constexpr NodeId kNoNode = -1;

/// Who makes and who reads each value, kept current while a pass rewrites. `Graph::producer` and
/// `Graph::users` walk the whole graph for one answer; a pass that asks at every node asks here.
class Links {
 public:
  explicit Links(const Graph& graph);

  /// The live node that makes the value; kNoNode when there is none.
  NodeId producer(ValueId value) const;
  /// The live nodes that read the value, each once, in no order.
  std::span<const NodeId> readers(ValueId value) const;
  bool alive(NodeId node) const;

  /// A node came into the order, or is about to leave it. A node whose operands change leaves
  /// before and comes back after.
  void add(NodeId node);
  void drop(NodeId node);
  /// Takes a node whose outputs nobody reads out of the graph, then the nodes that made its
  /// operands alone.
  void remove_unread(Graph& graph, NodeId node);

 private:
  void reserve();

  const Graph& graph_;
  std::vector<NodeId> makers_;                ///< by value
  std::vector<std::vector<NodeId>> readers_;  ///< by value
  std::vector<bool> alive_;                   ///< by node
};

}  // namespace octet
