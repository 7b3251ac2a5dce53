#pragma once

#include <span>

#include "graph/graph.h"

namespace octet {

/// By how much an image's results change when another image stands beside it in the batch: the
/// largest difference over the outputs, by their largest magnitude. 0 (but for the rounding of
/// floats) for a network that looks at each image alone, as networks should; others were calibrated
/// only for batches of the size that they were calibrated in. 0 where results are not finite.
/// `two_images`: NCHW.
double batch_effect(const Graph& graph, std::span<const float> two_images);

}  // namespace octet
