#pragma once

#include <ATen/core/Tensor.h>

namespace octet {

// ATen can hold unsigned integers of 16, 32 and 64 bits, but computes next to nothing on them. Here
// they go through int64, which holds the numbers of the smaller two and the bits of the third.

/// As int64 where the type is uint16, uint32 or uint64; other tensors as they are. Sums,
/// differences, products and bitwise functions of these are right modulo 2^64, so `to` the old type
/// ends them.
at::Tensor widened(const at::Tensor& x);

/// Like `widened`, but for uint64 by the map to int64 that keeps the order: for what compares.
at::Tensor ordered(const at::Tensor& x);

/// The way back from `ordered`; `type` is the type before.
at::Tensor from_ordered(const at::Tensor& x, at::ScalarType type);

/// One uint64 of two, for each pair of the broadcast tensors: for functions that neither map
/// serves.
at::Tensor each_uint64(const at::Tensor& a, const at::Tensor& b,
                       uint64_t (*function)(uint64_t, uint64_t));

}  // namespace octet
