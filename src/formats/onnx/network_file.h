#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "formats/properties.h"
#include "graph/graph.h"
#include "graph/quant_table.h"

namespace octet {

/// A quantized network as it lies on disk (".octet"): its graph with float weights, and its table.
struct NetworkFile {
  Graph graph;
  QuantTable table;
  Properties properties;  ///< "octet.targets", "octet.scheme": what it was made for
};

/// The bytes of a network file: an ONNX model of the float graph, with the types and shapes of its
/// values. In its metadata stand "octet.format" (the version of this format, 1), the properties,
/// and "octet.table": parameters, lookups, nodes in float and fixed constants as JSON, by the names
/// of values. The numbers are the shortest that read back as the same bits.
std::vector<std::byte> write_network(const Graph& graph, const QuantTable& table,
                                     const Properties& properties);

/// Reads it back: what a writer makes of the result is equal to the last byte. Throws Code::Model:
/// no such file, truncated, an ONNX file that is none of ours, another version of the format, a
/// table that does not fit the graph.
NetworkFile read_network_file(const std::filesystem::path& path);

}  // namespace octet
