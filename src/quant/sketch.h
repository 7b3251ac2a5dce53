#pragma once

#include <cstdint>
#include <vector>

#include "kernels/histogram.h"

namespace octet {

/// The ranges of a sketch when it had seen so many images.
struct Milestone {
  int64_t images;
  Range all;   ///< smallest and largest value
  Range most;  ///< of kMilestoneKept per cent of the values, half of the rest cut on either side
  bool operator==(const Milestone&) const = default;
};
inline constexpr double kMilestoneKept = 99.99;

/// What calibration remembers of a group of values, whatever their number: every observer chooses a
/// range from it, without seeing the data again. Sketches of parts of the data merge; all but the
/// moving average and the milestones are then, bit for bit, what one look at the whole data would
/// have made, whatever the order and grouping.
struct Sketch {
  Histogram histogram;
  /// Each batch moves the ends by a tenth of the way to its own smallest and largest value (as
  /// TensorFlow's and PyTorch's moving-average observers do); it depends on the order of batches.
  Range moving;
  Range constants;  ///< of the constants that share the group's grid; exact
  /// How the range grew with the images: each of twice as many as the one before, or more.
  std::vector<Milestone> course = {};

  /// One batch. Throws Code::Numeric on NaN or infinity.
  void add(const Histogram& batch);
  /// The data so far is that of so many images: a milestone, where they are twice as many as at the
  /// last one.
  void mark(int64_t images);
  /// Moving averages count by their numbers of values; milestones stay those of the first part.
  void merge(const Sketch& other);

  bool operator==(const Sketch&) const = default;
};

}  // namespace octet
