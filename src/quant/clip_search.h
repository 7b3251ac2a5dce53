#pragma once

#include <functional>

#include "kernels/range.h"
#include "quant/observer.h"

namespace octet {

/// The range on the grid that an integer type gives it: 0 is exact, the scale is that of the wider
/// side where the grid is symmetric.
struct Steps {
  double scale;
  double low;   ///< the smallest number of the grid
  double high;  ///< the largest
};
Steps steps_of(const Range& range, const RangeQuestion& question);

/// Sum over the histogram of |value - nearest number of the grid|^norm, values taken at the middle
/// of their bins.
double rounding_error(const Histogram& histogram, const Steps& steps, double norm);

/// The range within [smallest, largest] value, its ends moved towards 0 together and then each
/// alone, at which `loss` is least.
Range least_loss(const Range& whole, const std::function<double(const Range&)>& loss);

}  // namespace octet
