#pragma once

#include "graph/graph.h"

namespace octet {

/// In which order ONNX Runtime's x86 kernel of a node takes the weights of an output channel. It
/// adds the products of each two neighbours (first and second, third and fourth, ...) at once: in
/// 32 bits with VNNI, in 16 bits, which saturate, without (MLAS: vpmaddubsw).
enum class PairOrder : uint8_t {
  None,          ///< products are widened before they are added
  ChannelsLast,  ///< [out, in, taps...]: all inputs of a tap, then those of the next
  Rows,          ///< [out, in]
  Columns,       ///< [..., in, out]
};

/// The order of the node's constant int8 weight. Depthwise convolutions have none.
PairOrder pair_order(const Node& node, const Shape& weight);

}  // namespace octet
