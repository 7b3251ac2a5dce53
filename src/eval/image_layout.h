#pragma once

#include <span>
#include <vector>

#include "graph/tensor.h"

namespace octet {

/// Whether a file that takes images of the shape `wanted` (without the batch) wants the data set's
/// images (`chw`) with their channels last. Throws Code::Data when they fit neither way.
bool wants_channels_last(const Shape& wanted, const Shape& chw);

/// NCHW -> NHWC, image by image.
std::vector<float> channels_last(std::span<const float> images, const Shape& chw);

}  // namespace octet
