#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/range.h"
#include "quant/settings.h"

namespace octet {

/// Sees the data of one group of values, a batch at a time, and proposes its range. Memory does
/// not grow with the data.
class Observer {
 public:
  virtual ~Observer() = default;
  /// Throws Code::Numeric on NaN or infinity.
  virtual void observe(std::span<const float> values) = 0;
  virtual Range range() const = 0;
};

/// The observer that the settings name. Throws Code::Usage naming the known ones.
std::unique_ptr<Observer> make_observer(const CalibrationSettings& settings);

// One file per observer in quant/observers; `make_observer` lists them.
std::unique_ptr<Observer> minmax_observer(const CalibrationSettings& settings);
std::unique_ptr<Observer> percentile_observer(const CalibrationSettings& settings);

}  // namespace octet
