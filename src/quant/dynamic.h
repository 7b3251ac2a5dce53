#pragma once

#include <ATen/core/Tensor.h>

#include "quant/place.h"
#include "quant/target.h"

namespace octet {

/// What is quantized of a network whose activations stay real: the learnt weights of its
/// convolutions of images (one scale per output channel) and of its products with a matrix (one per
/// column; one for all where a target is TFLite, whose FULLY_CONNECTED takes no more beside real
/// activations). Other constants, those of a lowering among them, are not. `solve` needs no ranges
/// for it, hence no data.
Placement place_dynamically(const Graph& graph, const TargetSet& targets, const Scheme& scheme);

/// A batch as runtimes see it that find a grid for each image (N: the first dimension): 8 bits,
/// asymmetric, from its smallest to its largest number, 0 included. Nothing is clipped, so
/// gradients pass as they are.
at::Tensor fake_quantize_images(const at::Tensor& batch);

}  // namespace octet
