#pragma once

#include "graph/quant_table.h"
#include "kernels/histogram.h"

namespace octet {

/// Share (0 to 1) of the values that lie beyond the ends of a per-tensor grid by more than half a
/// step: rounding would put them further, and they are clipped. To within a bin of the histogram;
/// 0 where nothing was counted, and where the exact range is inside.
double clipped_share(const Histogram& histogram, const QuantParams& grid);

}  // namespace octet
