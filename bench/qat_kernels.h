#pragma once

#include "rows.h"

namespace octet::bench {

/// Rounding a tensor to a grid in training, alone: against a copy of the tensor, which moves as
/// many bytes, and against ATen's operator.
void measure_kernels(Table& table, int rounds);

}  // namespace octet::bench
