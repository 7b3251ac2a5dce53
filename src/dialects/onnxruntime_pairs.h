#pragma once

#include <ATen/core/Tensor.h>

#include "dialects/pair_order.h"

namespace octet {

/// The weights of a node as its kernel adds them, [out, pairs, 2]: a last one without a partner
/// gets 0. Numbers of any type; not for `PairOrder::None`.
at::Tensor weight_pairs(PairOrder order, const at::Tensor& weight);

/// The largest magnitude of a sum of two uint8 x int8 products of weights whose own sum is not
/// larger in magnitude: 255 x 128 fits into 16 bits, 255 x 129 does not.
inline constexpr int32_t kLargestPair = 128;

}  // namespace octet
