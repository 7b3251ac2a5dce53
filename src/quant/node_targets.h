#pragma once

#include <optional>
#include <set>
#include <string>

#include "graph/graph.h"
#include "quant/target.h"

namespace octet {

/// The node copies a value to another grid: a Clip without bounds.
bool is_copy(const Node& node);

/// What a set of targets demands of the nodes of one network, of which some compute on activations
/// of 16 bits where others have 8. A node reads and makes values of one width; between nodes of
/// both a copy changes it.
class NodeTargets {
 public:
  /// The targets, the network and this must live as long. `wide`: the nodes on 16 bits.
  NodeTargets(const Graph& graph, const TargetSet& targets, std::set<NodeId> wide);

  const std::set<NodeId>& wide() const { return wide_; }
  /// Copies from one width to the other. No target has a kernel that widens: 8 bits are looked up
  /// in a table.
  bool widens(NodeId id) const;
  bool narrows(NodeId id) const;

  // As `TargetSet` has them of an operator.
  bool tables() const { return targets_.tables(); }
  bool supports(NodeId id) const { return of(id).supports(graph_.node(id).op); }
  std::string refusal(NodeId id) const { return of(id).refusal(graph_, graph_.node(id)); }
  TargetOp demand(NodeId id) const { return of(id).demand(graph_.node(id).op); }

 private:
  const TargetSet& of(NodeId id) const { return wide_.contains(id) ? *of_16_bits_ : targets_; }
  bool made_wide(NodeId id) const;
  bool read_wide(NodeId id) const;

  const Graph& graph_;
  const TargetSet& targets_;
  std::set<NodeId> wide_;
  std::optional<TargetSet> of_16_bits_;
};

}  // namespace octet
