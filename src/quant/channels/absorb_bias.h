#pragma once

#include "quant/calibrate.h"

namespace octet {

struct Absorption {
  size_t places = 0;        ///< activations between weighted operators that were looked at
  size_t moved_places = 0;  ///< where a channel moved
  size_t channels = 0;      ///< that moved
  size_t padded = 0;        ///< places left alone, because zeros around the image would be wrong
};

/// Absorbing high biases (M. Nagel et al., "Data-Free Quantization Through Weight Equalization and
/// Bias Correction", 2019, section 4.1.3): what nearly all values of a channel are above, c =
/// max(0, mean - 3 deviations) of what goes into its Relu, LeakyRelu or PRelu, moves from the bias
/// before to the bias after: relu(x - c) + c = relu(x) for x >= c. The values between are smaller,
/// and their grid finer. Mean and deviation are those seen on the images, where the paper, which
/// has none, takes them from BatchNormalization.
///
/// Only where a single operator makes the channel and its readers see no padding: zeros around the
/// image are no zeros less c. Convolutions without a bias get one.
Absorption absorb_biases(Graph& graph, const NextImages& next);

}  // namespace octet
