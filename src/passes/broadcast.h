#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "graph/tensor.h"

namespace octet {

/// The elements of a float tensor as it is broadcast to `shape` (ONNX's rules: aligned from the
/// right; dimensions of one that it has more are dropped); nullopt where it is no float tensor, or
/// does not fit. `shape` must be known.
std::optional<std::vector<float>> broadcast_to(const Tensor& tensor, const Shape& shape);

/// The shape that both are broadcast to; nullopt where they do not fit. Dimensions below zero
/// depend on the batch: one wins over 1, and two are taken for the same.
std::optional<Shape> broadcast_shape(const Shape& a, const Shape& b);

/// How many elements follow the first dimension; nullopt where that is not known.
std::optional<int64_t> row_size(const Shape& shape);

/// The axes as numbers from 0, in rising order.
std::vector<int64_t> sorted_axes(std::vector<int64_t> axes, size_t rank);

}  // namespace octet
