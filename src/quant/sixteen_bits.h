#pragma once

#include "graph/quant_table.h"
#include "kernels/range.h"
#include "quant/scheme.h"
#include "quant/target.h"

namespace octet {

/// 16-bit parameters of a range: the zero point is 0, and the larger end lies at 32767 or -32767.
QuantParams sixteen_bit_params(Range range);

/// A 16-bit grid that is known beforehand.
QuantParams sixteen_bit_grid(float scale);

/// Throws Code::Usage naming a target whose kernels take activations of another width.
void check_activation_bits(const TargetSet& targets, const Scheme& scheme);

}  // namespace octet
