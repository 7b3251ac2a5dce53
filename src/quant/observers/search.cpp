#include <array>
#include <limits>

#include "quant/clip_search.h"

namespace octet {

/// Tries every way there is and keeps the range of the least squared error, which is that of the
/// best SQNR: the signal is the same for all.
Range search_range(const RangeQuestion& question) {
  const Histogram& histogram = question.sketch.histogram;
  const std::array candidates{
      mse_range(question),           minmax_range(question),      moving_average_range(question),
      entropy_range(question),       kept_range(histogram, 99.9), kept_range(histogram, 99.99),
      kept_range(histogram, 99.999),
  };
  Range best;
  double least = std::numeric_limits<double>::infinity();
  for (const Range& range : candidates) {
    const double error = rounding_error(histogram, steps_of(range, question), 2);
    if (error >= least) continue;
    least = error;
    best = range;
  }
  return best;
}

}  // namespace octet
