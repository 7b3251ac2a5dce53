#pragma once

#include "train/unit_walk.h"

namespace octet {

/// AdaRound (M. Nagel et al., "Up or Down? Adaptive Rounding for Post-Training Quantization",
/// 2020): layer after layer learns which of its weights to round up and which down, so that its
/// output, after the activation that its rounding absorbs, is nearest to that of the float network
/// (asymmetric reconstruction, equation 25: from the rounded values in front of it).
WalkSettings adaround();

}  // namespace octet
