#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "formats/onnx/input_shape.h"
#include "graph/graph.h"
#include "graph/quant_table.h"

namespace octet {

/// Reads an ONNX file into a graph at opset `kOpset`: checked by onnx's checker, model functions
/// inlined, converted by its version converter, Constant nodes made constants. A model of a later
/// opset keeps its operators, also those that `kOpset` does not have. External data is read; its
/// paths may not leave the model's folder. Values keep their names. Throws Code::Model (not ONNX,
/// truncated, malformed) and Code::Unsupported (other domains, subgraphs, strings and other types
/// that octet lacks, an opset that cannot be converted).
/// Weights are read one after the other: no second copy of them all is in memory beside the graph.
Graph read_onnx(const std::filesystem::path& path);

/// The same; `shapes` fill dimensions of inputs that the file leaves open. Also throws Code::Usage
/// (input_shape.h).
Graph read_onnx(const std::filesystem::path& path, std::span<const InputShape> shapes);

/// The same for a network in integers: ONNX Runtime's operators of the domain com.microsoft that
/// compute with integers (QLinearAdd, QGemm, ...) come in under their names. What the integers mean
/// is for `import_quantized` (import.h) to say.
Graph read_quantized_onnx(const std::filesystem::path& path, std::span<const InputShape> shapes);

/// The bytes of a float ONNX file: opset `kOpset`, IR version 10.
std::vector<std::byte> write_onnx(const Graph& graph);

/// The same without the types of the outputs, which the reader infers: for a network of one node
/// that octet cannot run.
std::vector<std::byte> write_node_model(const Graph& graph);

/// The bytes of an INT8 ONNX file in QDQ form: the graph with QuantizeLinear / DequantizeLinear
/// around every operator, weights and biases stored as integers. Activations are written as uint8,
/// the table's integers moved by 128: ONNX Runtime on x86 has fast kernels for uint8 x int8 only.
/// A node that multiplies by a constant (the table says its output is derived) becomes a second
/// DequantizeLinear of the same integers.
std::vector<std::byte> write_onnx(const Graph& graph, const QuantTable& table);

/// How an INT8 ONNX file says that an operator computes in integers.
enum class OnnxForm : uint8_t {
  Qdq,        ///< QuantizeLinear and DequantizeLinear around operators of ONNX
  QOperator,  ///< ONNX Runtime's own operators (QLinearConv, QLinearAdd, ...) where it has one
};

/// Throws Code::Usage naming the known forms, "qdq" and "qoperator".
OnnxForm onnx_form_named(std::string_view name);

/// The same integers in either form: ONNX Runtime computes both to the same bits. In the QOperator
/// form an operator that has no such twin stands between DequantizeLinear and QuantizeLinear.
std::vector<std::byte> write_onnx(const Graph& graph, const QuantTable& table, OnnxForm form);

}  // namespace octet
