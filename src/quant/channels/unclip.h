#pragma once

#include "quant/calibrate.h"

namespace octet {

struct Unclipping {
  size_t clips = 0;     ///< that stand in the way of equalization
  size_t replaced = 0;  ///< by Relu
  int64_t images = 0;   ///< that were looked at
  int64_t changed = 0;  ///< of them, whose prediction is another now
};

/// Clip(0, 6) is not f(s x) = s f(x): scaled channels would need bounds of their own, which integer
/// files cannot have. M. Nagel et al., 2019, section 5.1.1, replace ReLU6 by ReLU. Here the harm is
/// measured: of the Clips from 0 between channels that could be scaled, as many become Relu, those
/// that clip least first, as change at most one prediction in a hundred on the images. `images`
/// gives the same images from the start each time that it is called.
Unclipping replace_harmless_clips(Graph& graph, const std::function<NextImages()>& images);

}  // namespace octet
