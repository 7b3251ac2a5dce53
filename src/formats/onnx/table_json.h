#pragma once

#include <string>

#include "graph/graph.h"
#include "graph/quant_table.h"

namespace octet {

/// The table as JSON, and which constants are fixed:
///
///     {"values": {"x": {"type": "int8", "axis": -1, "low": -128, "high": 127, "scale": [0.1],
///                       "zero_point": [3], "origin": "observed"}},
///      "lookups": {"y": {"source": "x", "entries": [0, 1], "nodes": ["t", "y"]}},
///      "fixed": ["c"]}
///
/// Values stand by their names, nodes by the names of their first outputs.
std::string table_to_json(const Graph& graph, const QuantTable& table);

/// The table, and `Value::fixed` of the graph's constants. Throws Code::Model: no such JSON, a
/// value that the graph does not have, scales and zero points that do not fit it.
QuantTable table_from_json(const std::string& text, Graph& graph);

}  // namespace octet
