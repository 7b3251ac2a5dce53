#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace octet {

/// How the ranges of activations are found; a recipe's section 'calibration'.
struct CalibrationSettings {
  int64_t images = 1024;                ///< of the training part, 1 or more
  int64_t batch = 0;                    ///< 1 to 65536; 0: chosen by the images' size
  std::string observer = "percentile";  ///< a name that `observer_named` knows
  double percentile = 99.99;     ///< share of values kept, half cut on either side; 50 to 100
  double norm = 2;               ///< of 'mse': the power of errors that is made least; 1 to 8
  int64_t held_back = 64;        ///< images not calibrated on that the ranges are tried on; 0: none
  bool skip_bad_images = false;  ///< go on without images that make NaN or infinity
  std::vector<std::string> methods = {};  ///< names that `all_methods` (api/methods.h) knows
  double migration = 0.5;  ///< of 'migrate': how far difficulty goes into weights; 0 to 1
};

}  // namespace octet
