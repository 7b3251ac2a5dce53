#pragma once

#include <vector>

#include "quant/channels/region.h"

namespace octet {

struct Equalization {
  size_t regions = 0;  ///< that were equalized
  int rounds = 0;      ///< over all of them, until nothing moved
  std::vector<RefusedRegion> refused;
};

/// Cross-layer equalization (M. Nagel et al., "Data-Free Quantization Through Weight Equalization
/// and Bias Correction", 2019, section 4.1): between weighted operators W1 and W2 every channel c
/// is divided by s = sqrt(r1 / r2) before and multiplied after, so that the largest weights that
/// make it (r1) and that read it (r2) are the same (equation 11). One grid for a whole weight then
/// suits all of its channels. Goes over all regions until no scale moves by more than a thousandth,
/// for weights between two regions belong to both.
///
/// Where several operators read a channel, or with `joined` make it, the largest weight of all
/// counts. Channels without weights on a side stay. The network computes the same.
Equalization equalize_channels(Graph& graph, bool joined = false);

}  // namespace octet
