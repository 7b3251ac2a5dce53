#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace octet {

/// How the methods that prepare a network changed its structure, so that a file made of it can be
/// held against the float network that they started from: Clips that became Relu, and operators
/// that got a bias. Constants that merely have other numbers are not told.
class PreparedStructure {
 public:
  /// Remembers the network as it is now.
  explicit PreparedStructure(const Graph& graph);

  /// What is different in `graph`, which has the same nodes: "relu:NODE" and "bias:NODE", a tab
  /// between; empty when nothing is.
  std::string changes(const Graph& graph) const;

 private:
  struct Operator {
    std::string op;
    bool biased;
  };
  std::vector<Operator> nodes_;  ///< by node id
};

/// Changes the network in that way; a new bias is 0. Throws Code::Model naming a change that does
/// not fit the network.
void prepare_structure(Graph& graph, std::string_view changes);

}  // namespace octet
