#pragma once

#include <ATen/core/Tensor.h>

#include "graph/quant_table.h"

namespace octet {

// Rounding to grids with gradients: straight through where nothing is clipped, else 0. Layouts are
// kept. Between forward and backward an element takes one bit, one byte where the grid learns, two
// where it goes through a table.

/// Where a result goes. `Same`: into the tensor itself, which nobody else may read, nor the
/// backward pass of what made it; a view, or a leaf that asks for a gradient, is left alone.
enum class Into : uint8_t { New, Same };

/// What moves a grid: tensors of one element that ask for gradients, or undefined ones.
struct GridVariables {
  at::Tensor log_scale;   ///< natural logarithm of a factor on the scale
  at::Tensor zero_point;  ///< what comes to the zero point, as a share of the grid's width
};

/// The tensor on a per-tensor grid.
at::Tensor fake_quantize(const at::Tensor& tensor, const QuantParams& params,
                         Into into = Into::New);

/// The same on a grid that learns; `now` is the grid as its variables say at present.
at::Tensor fake_quantize(const at::Tensor& tensor, const QuantParams& now,
                         const GridVariables& variables, Into into = Into::New);

}  // namespace octet
