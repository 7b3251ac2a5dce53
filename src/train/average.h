#pragma once

#include "train/moving_tensors.h"

namespace octet {

/// An exponential moving average of all that training moves (B. T. Polyak and A. B. Juditsky,
/// 1992), which is better than the last step's weights where the rate is high. Over the first steps
/// its decay is less, (1 + t) / (10 + t), so that it leaves the start behind.
class WeightAverage {
 public:
  WeightAverage(const NamedTensors& present, double decay)
      : decay_(decay), average_(copy_of(present)) {}

  /// After step number `step`, from 0.
  void add(const NamedTensors& present, int64_t step);
  const NamedTensors& tensors() const { return average_; }

 private:
  double decay_;
  NamedTensors average_;
};

}  // namespace octet
