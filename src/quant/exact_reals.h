#pragma once

#include <optional>

#include "graph/quant_table.h"
#include "graph/tensor.h"
#include "kernels/quantize.h"

namespace octet {

/// A real number near scale * (integer - zero_point) that `quantize` turns into the integer.
/// Integers that `quantize` made of a number have one; beyond 2^23 others may have none: nullopt.
std::optional<float> exact_real(int32_t integer, const Grid& grid);

/// The same for all integers (int8, int16 or int32) of a constant. nullopt when one has none.
std::optional<Tensor> exact_reals(const Tensor& integers, const QuantParams& params);

}  // namespace octet
