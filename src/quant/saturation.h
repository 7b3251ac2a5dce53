#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "dialects/pair_order.h"
#include "graph/quant_table.h"
#include "quant/place.h"

namespace octet {

// On x86 processors without VNNI, ONNX Runtime adds two uint8 x int8 products in 16 bits, with
// saturation (dialects/pair_order.h). Whatever the input, a pair whose weights sum up to at most
// `kLargestPair` (128) in magnitude cannot saturate: 255 x 128 < 2^15; a pair with a larger sum
// does where both inputs are 255.

/// How one node's integer weights stand to that.
struct PairMargin {
  NodeId node;
  int64_t channels = 0;    ///< of the output
  int64_t saturating = 0;  ///< channels that some input makes saturate
  int32_t largest = 0;     ///< largest magnitude of a pair's sum
};

/// Every node of the table with an 8-bit input and int8 weights that are added in pairs, in order.
std::vector<PairMargin> pair_margins(const Graph& graph, const QuantTable& table);

/// One line that says which nodes can saturate, or that none can.
std::string describe_margins(const Graph& graph, const std::vector<PairMargin>& margins);

/// Marks the weights of the placement whose scales have to keep their pairs from saturating.
void avoid_saturation(const Graph& graph, Placement& placement);

/// For every output channel of a float weight the scale from which on no pair can saturate, however
/// its weights are rounded. A channel of which this is more than the largest weight needs has to
/// give up some of its range; others keep all of theirs.
at::Tensor pair_scales(PairOrder order, const at::Tensor& weight);

/// Raises scales of the weight's parameters to `pair_scales`.
void widen_for_pairs(PairOrder order, const Tensor& weight, QuantParams& params);

}  // namespace octet
