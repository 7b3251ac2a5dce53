#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <vector>

#include "formats/file_form.h"
#include "formats/held_value.h"
#include "formats/onnx/input_shape.h"
#include "formats/properties.h"
#include "graph/graph.h"
#include "graph/group_grid.h"
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

/// The bytes of an INT8 ONNX file. In QOperator form an operator that ONNX Runtime has no twin of
/// stands between DequantizeLinear and QuantizeLinear; in QDQ form all do: the graph with
/// QuantizeLinear / DequantizeLinear around every operator, weights and biases stored as integers.
/// With integers at the ends the first QuantizeLinear and the last DequantizeLinear are missing,
/// and the file's metadata hold the grid of each end NAME as "octet.grid:NAME" = "SCALE
/// ZERO_POINT". A node that multiplies by a constant (the table says its output is derived) becomes
/// a second DequantizeLinear of the same integers.
std::vector<std::byte> write_onnx(const Graph& graph, const QuantTable& table,
                                  const FileForm& form = {});

/// The computed values whose integers that file holds, each in the tensor "NAME/quantized" or, at
/// an end of integers, NAME.
std::vector<HeldValue> held_by_onnx(const Graph& graph, const QuantTable& table,
                                    const FileForm& form = {});

/// The bytes of an ONNX file with integer weights and real activations: products with a matrix that
/// the table holds quantize their input at run time (DynamicQuantizeLinear, MatMulInteger), other
/// weights of the table are stored as integers and computed with in float.
std::vector<std::byte> write_dynamic_onnx(const Graph& graph, const QuantTable& table,
                                          const FileForm& form = {});

/// The bytes of an ONNX file whose products (MatMul, Gemm) with these matrices are MatMulNBits, an
/// operator of ONNX Runtime's own; all else is the float network.
std::vector<std::byte> write_weight_only_onnx(const Graph& graph, const GroupTable& groups,
                                              const FileForm& form = {});

}  // namespace octet
