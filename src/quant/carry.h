#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"
#include "graph/quant_table.h"
#include "quant/calibrate.h"
#include "quant/place.h"

namespace octet {

/// How many given parameters a table carries, and where it differs, one line per tensor.
struct Carried {
  int64_t tensors = 0;
  std::vector<std::string> changes;
  std::vector<std::string> notes;  ///< biases that are rounded anew
};

/// Compares a solved table with the parameters that a file gave (`given`): scales, zero points, and
/// the integers of constants.
Carried compare_with_given(const Graph& graph, const Placement& placement, const QuantTable& table,
                           const QuantTable& given);

/// Weights that hold -128, of which a symmetric int8 weight has none, become -127 there; names
/// them, one line each.
std::vector<std::string> narrow_weights(Graph& graph, const Placement& placement,
                                        const QuantTable& given);

/// The first value in the order of the network whose grid only images can tell; kAbsent: there is
/// none.
ValueId first_unknown(const Graph& graph, const Placement& placement);

/// The ranges of groups of constants alone.
Ranges constant_ranges(const Graph& graph, const Placement& placement);

}  // namespace octet
