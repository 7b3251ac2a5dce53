#pragma once

#include <ATen/core/Tensor.h>

#include "graph/quant_table.h"

namespace octet {

/// The tensor rounded to a per-tensor grid; its gradient passes where nothing was clipped
/// (straight-through). The layout is kept. Between forward and backward one bit an element is held.
at::Tensor fake_quantize(const at::Tensor& tensor, const QuantParams& params);

}  // namespace octet
