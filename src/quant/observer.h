#pragma once

#include <span>
#include <string>
#include <string_view>

#include "kernels/range.h"
#include "quant/settings.h"
#include "quant/sketch.h"

namespace octet {

/// What an observer is asked: the range of a sketch's data that an integer grid should cover.
struct RangeQuestion {
  const Sketch& sketch;
  const CalibrationSettings& settings;
  int64_t steps = 255;     ///< between the grid's smallest and largest number
  bool symmetric = false;  ///< the grid has as many steps below 0 as above
};

/// A way to choose a range. It knows the sketch alone: no data, no other group.
struct Observer {
  std::string_view name;
  std::string_view summary;  ///< one line for lists
  Range (*range)(const RangeQuestion& question);
};

std::span<const Observer> all_observers();

/// Throws Code::Usage naming the known ones, or a setting of the observer that is out of range.
const Observer& observer_named(const CalibrationSettings& settings);

// One file per observer in quant/observers; `all_observers` lists them.
Range minmax_range(const RangeQuestion& question);
Range moving_average_range(const RangeQuestion& question);
Range percentile_range(const RangeQuestion& question);
Range percentile_9999_range(const RangeQuestion& question);
Range percentile_99999_range(const RangeQuestion& question);
Range entropy_range(const RangeQuestion& question);
Range mse_range(const RangeQuestion& question);
Range search_range(const RangeQuestion& question);

/// The range that keeps `percent` of the data, half of the rest cut on either side.
Range kept_range(const Histogram& histogram, double percent);

}  // namespace octet
