#pragma once

#include "train/unit_walk.h"

namespace octet {

/// Learned activation ranges: the steps of a block's activations move by gradients (S. K. Esser et
/// al., "Learned Step Size Quantization", 2020) so that the block's output is nearest to that of
/// the float network; weights stay as they are.
WalkSettings learn_ranges();

}  // namespace octet
