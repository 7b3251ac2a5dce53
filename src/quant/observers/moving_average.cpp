#include "quant/observer.h"

namespace octet {

/// Outliers of single batches count little (B. Jacob et al., "Quantization and Training of Neural
/// Networks for Efficient Integer-Arithmetic-Only Inference", 2018, section 3.1).
Range moving_average_range(const RangeQuestion& question) { return question.sketch.moving; }

}  // namespace octet
