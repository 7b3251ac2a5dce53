#pragma once

#include <vector>

#include "quant/calibrate.h"
#include "quant/channels/region.h"

namespace octet {

struct HeadEqualization {
  size_t attentions = 0;  ///< that were found
  size_t equalized = 0;   ///< in which heads were scaled
  double spread = 1;      ///< largest divisor of a head over the smallest, of the worst, before
};

/// Per-channel handling of linear attention's divisor (ReLU attention of H. Cai et al.,
/// "EfficientViT: Multi-Scale Linear Attention for High-Resolution Dense Prediction", 2022, section
/// 3.1). All heads share the grid of the divisor q (k 1), so that small heads have few steps, or
/// none: division by what is rounded to 0. The quotient is the same for any positive factor of a
/// head's relu(q) and relu(k), which go into the convolutions that make them: here each head gets
/// the square root of what makes its largest divisor, as seen on the images, that of all. Rows of v
/// are scaled by channel as `migrate_channels` does it (with `alpha`), before them in the
/// convolutions, behind them in the projection; and all of them fill the grid that they share.
///
/// Found are quotients whose operands come from one Reshape to [N, heads, rows, pixels] that is
/// sliced into rows of q, k (which Relus read) and v. A change that moves the network's output by
/// more than a thousandth of its largest number on the first images is undone.
HeadEqualization equalize_heads(Graph& graph, const std::function<NextImages()>& images,
                                double alpha);

}  // namespace octet
