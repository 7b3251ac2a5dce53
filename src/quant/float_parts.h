#pragma once

#include <map>
#include <set>
#include <string>

#include "graph/graph.h"
#include "graph/io.h"
#include "quant/lookup.h"
#include "quant/node_targets.h"
#include "quant/override.h"

namespace octet {

/// The nodes with float results that are to compute so. An activation goes with the operator before
/// it that could take it in, whatever it is told itself; copies go with nobody.
std::set<NodeId> asked_for(const Graph& graph, const std::map<NodeId, Override>& chosen,
                           Override::Compute compute);

/// What computes in float between integers.
struct FloatParts {
  std::map<NodeId, std::string> nodes;  ///< with what completes "stays in float because"
  /// Values that such nodes alone make and read, at least one of them because it is asked to:
  /// nothing rounds them.
  std::set<ValueId> real;
};

/// Nodes without an integer form, and those that are asked to. Of the latter one without weights,
/// between integers on all sides, stays what it was where it has an integer form: its numbers are
/// rounded as much, and runtimes compute it in integers all the same. `io`: values at integer ends
/// of the files are rounded whoever reads them.
FloatParts find_float(const Graph& graph, const NodeTargets& targets,
                      const std::map<ValueId, Chain>& chains, const std::set<NodeId>& asked, Io io);

}  // namespace octet
