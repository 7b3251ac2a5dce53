#include "quant/observer.h"

namespace octet {

/// Nothing is clipped; outliers set the scale.
Range minmax_range(const RangeQuestion& question) { return question.sketch.histogram.range(); }

}  // namespace octet
