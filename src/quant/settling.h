#pragma once

#include <cstdint>

#include "quant/sketch.h"

namespace octet {

/// A range has settled when neither end moves any more by this share of the last range's width, to
/// which 0 counts.
inline constexpr double kSettled = 0.02;

/// How a range came to rest while images were added.
struct Settling {
  /// After so many images it was settled: of those at which the sketch has a milestone. All images
  /// where it still moved.
  int64_t images = 0;
  /// By what share of its width an end moved with the images after the last milestone.
  double moved = 0;
  bool known = false;  ///< there is a milestone before the last image
};

/// `images`: that the sketch is of. `whole`: of the range of all values, else of most.
Settling settling_of(const Sketch& sketch, int64_t images, bool whole);

}  // namespace octet
