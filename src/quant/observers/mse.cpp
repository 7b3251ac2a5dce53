#include "quant/clip_search.h"

namespace octet {

/// Least mean error of rounding and clipping together, to the power `norm` (2: mean squared error;
/// Y. Choukroun et al., "Low-bit Quantization of Neural Networks for Efficient Inference", 2019;
/// 2.4 is what BRECQ's and QDrop's authors take).
Range mse_range(const RangeQuestion& question) {
  const Histogram& histogram = question.sketch.histogram;
  return least_loss(histogram.range(), [&](const Range& range) {
    return rounding_error(histogram, steps_of(range, question), question.settings.norm);
  });
}

}  // namespace octet
