#pragma once

#include "kernels/histogram.h"

namespace octet {

/// What calibration remembers of a group of values, whatever their number: every observer chooses a
/// range from it, without seeing the data again. Sketches of parts of the data merge; all but the
/// moving average are then, bit for bit, what one look at the whole data would have made.
struct Sketch {
  Histogram histogram;
  /// Each batch moves the ends by a tenth of the way to its own smallest and largest value (as
  /// TensorFlow's and PyTorch's moving-average observers do); it depends on the order of batches.
  Range moving;
  Range constants;  ///< of the constants that share the group's grid; exact

  /// One batch. Throws Code::Numeric on NaN or infinity.
  void add(const Histogram& batch);
  /// Moving averages count by their numbers of values.
  void merge(const Sketch& other);

  bool operator==(const Sketch&) const = default;
};

}  // namespace octet
