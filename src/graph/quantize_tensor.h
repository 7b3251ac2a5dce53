#pragma once

#include "graph/quant_table.h"
#include "kernels/quantize.h"

namespace octet {

/// The grid of one index along the axis (0 where the parameters are per tensor).
Grid grid_of(const QuantParams& params, size_t channel = 0);

/// Integers of a float constant, in the parameters' type; as it is where that is float32. This is
/// the one place where INT8 constants are made: simulation and every writer call it.
Tensor quantize(const Tensor& real, const QuantParams& params);
/// The float values that the integers stand for.
Tensor dequantize(const Tensor& integers, const QuantParams& params);

}  // namespace octet
