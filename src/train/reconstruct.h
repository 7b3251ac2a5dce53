#pragma once

#include "train/unit_walk.h"

namespace octet {

/// Reconstruction block by block (Y. Li et al., "BRECQ: Pushing the Limit of Post-Training
/// Quantization by Block Reconstruction", 2021, section 3.2; the error is not weighted by
/// gradients): all weights of a residual block, or of whatever stands between two places where a
/// single value lives, learn their rounding together, and the block's activations the steps of
/// their grids. Meanwhile half of the activations, at random, are left as they are (X. Wei et al.,
/// "QDrop: Randomly Dropping Quantization for Extremely Low-bit Post-Training Quantization", 2022,
/// section 4.3).
WalkSettings reconstruct();

}  // namespace octet
