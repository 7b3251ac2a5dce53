#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "graph/graph.h"

namespace octet {

/// The grids of a matrix of which `group` neighbours along the inputs share one, for every output
/// apart: real = scale * (code - zero_point), with codes from 0 to 2^bits - 1. Weights lie
/// [outputs, inputs] here, scales and zero points [outputs, groups()], all row-major.
struct GroupGrid {
  int bits = 4;        ///< 4 or 8
  int64_t group = 32;  ///< inputs; the last group may have fewer
  int64_t inputs = 0;
  int64_t outputs = 0;
  std::vector<float> scale;
  std::vector<uint8_t> zero_point;

  int64_t groups() const { return (inputs + group - 1) / group; }
  /// The largest code.
  int highest_code() const { return (1 << bits) - 1; }
  /// All zero points lie in the middle of the codes, 2^(bits - 1).
  bool symmetric() const;
  bool operator==(const GroupGrid&) const = default;
};

/// Of a network's constant matrices, by value: beside the graph, as the table of other parameters
/// is (quant_table.h).
using GroupTable = std::map<ValueId, GroupGrid>;

/// The code of a number: the nearest, ties to even.
uint8_t group_code(float real, float scale, int zero_point, int highest);

/// The codes of weights, and the weights that codes stand for. What `dequantize` gives,
/// `quantize` takes back to the same codes.
std::vector<uint8_t> quantize(std::span<const float> weights, const GroupGrid& grid);
std::vector<float> dequantize(std::span<const uint8_t> codes, const GroupGrid& grid);

/// The constant matrix that MatMul or Gemm multiplies by, as [outputs, inputs]; and back.
std::vector<float> weights_by_output(const Graph& graph, const Node& product);
void set_weights_by_output(Graph& graph, const Node& product, std::span<const float> weights);

}  // namespace octet
