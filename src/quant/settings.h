#pragma once

#include <cstdint>
#include <string>

namespace octet {

/// How the ranges of activations are found; a recipe's section 'calibration'.
struct CalibrationSettings {
  int64_t images = 1024;                ///< of the training part, 1 or more
  int64_t batch = 64;                   ///< 1 to 65536
  std::string observer = "percentile";  ///< a name that `make_observer` knows
  double percentile = 99.99;  ///< share of values kept, half cut on either side; 50 to 100
};

}  // namespace octet
