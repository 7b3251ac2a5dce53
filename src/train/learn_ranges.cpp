#include "train/learn_ranges.h"

namespace octet {

WalkSettings learn_ranges() {
  return {.name = "learn-ranges",
          .unit = {.rounding = false, .ranges = true, .iterations = 200, .range_rate = 0.002}};
}

}  // namespace octet
