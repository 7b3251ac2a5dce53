#pragma once

#include <optional>
#include <string>

#include "graph/graph.h"
#include "graph/quant_table.h"

namespace octet {

/// A grid, and the type that its integers have in the file: uint8 ones are moved by 128 here.
struct FileGrid {
  QuantParams params;
  DType type = DType::Int8;
};

/// Where a node of a quantized file says on which grid a tensor lies.
struct GridInputs {
  size_t scale;               ///< index of the input with the scale
  size_t zero_point;          ///< of the one with the zero point, which may be absent: 0
  std::string tensor;         ///< the tensor's name, for messages
  std::optional<DType> type;  ///< of its integers, where known; else the zero point's, or uint8
  const Shape* shape;         ///< of a constant; nullptr: it flows, and has one scale
  int64_t axis = 1;           ///< of more than one scale
  bool axis_is_given = true;  ///< by the file, for messages
};

/// The grid of a tensor, its origin `Imported`.
/// Throws Code::Model naming the tensor and the node: a scale that is zero, negative or not finite,
/// a zero point of another type or number than wanted, an axis that does not fit;
/// Code::Unsupported: scales that the network computes, of another type than float32, per block, or
/// per channel of what flows, integers of other types than int8, uint8 and (constants) int32.
FileGrid read_grid(const Graph& file, const Node& node, const GridInputs& inputs);

/// uint8 integers as int8, moved by 128; others as they are.
Tensor moved(const Tensor& integers);

}  // namespace octet
