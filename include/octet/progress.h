#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace octet {

/// How far a long step has come. `done == total` is its end.
struct Progress {
  std::string step;  ///< "calibrate", "train epoch 3/8"
  int64_t done = 0;
  int64_t total = 0;
  std::string unit;  ///< "images", "batches"
  std::string note;  ///< a figure to show beside the bar; may be empty
};

/// Called from the working thread, often; it must be quick. An empty function means silence: the
/// library itself never prints.
using ProgressSink = std::function<void(const Progress&)>;

}  // namespace octet
