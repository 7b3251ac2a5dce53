#pragma once

#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "graph/quant_table.h"

namespace octet {

/// A quantized network as its float graph and what its file says of grids.
struct ImportedNetwork {
  /// Without QuantizeLinear, DequantizeLinear and operators on integers: each is the operator of
  /// the default domain that it stands for. Constants are the real numbers of the file's integers,
  /// one per reader.
  Graph graph;
  /// The grids of values and constants, as the file has them (uint8 moved by 128): int8, per
  /// channel for constants alone; int32 for biases.
  QuantTable given;
  /// A value that is computed in float and read on two grids, and its copy on the second of them:
  /// rounded once each in the file, but in integers the second from the first.
  std::vector<std::pair<ValueId, ValueId>> second_grids;
  /// Places in tables: each table keeps its own, by which placement knows it.
  std::vector<ValueId> table_places;
  std::vector<std::string> notes;  ///< where the new file's inputs and outputs are others
};

/// Takes a quantized network apart (`read_quantized_onnx`): QDQ form, with Clip between (Brevitas'
/// QCDQ), weights as integers or as float constants that are quantized, and QOperator form. Throws
/// Code::Model: no tensor is quantized, integers that nobody reads, what `read_grid` refuses
/// (import_grid.h). Code::Unsupported naming the node: dynamic quantization, computing with
/// integers in other ways.
ImportedNetwork import_quantized(const Graph& file);

}  // namespace octet
