#include "quant/observer.h"

namespace octet {

Range kept_range(const Histogram& histogram, double percent) {
  if (histogram.count() == 0) return {};
  const double cut = (1 - percent / 100) / 2;
  return {histogram.quantile(cut), histogram.quantile(1 - cut), false};
}

/// H. Wu et al., "Integer Quantization for Deep Learning Inference", 2020, section 3.2.
Range percentile_range(const RangeQuestion& question) {
  return kept_range(question.sketch.histogram, question.settings.percentile);
}

Range percentile_9999_range(const RangeQuestion& question) {
  return kept_range(question.sketch.histogram, 99.99);
}

Range percentile_99999_range(const RangeQuestion& question) {
  return kept_range(question.sketch.histogram, 99.999);
}

}  // namespace octet
