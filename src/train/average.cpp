#include "train/average.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace octet {

void WeightAverage::add(const NamedTensors& present, int64_t step) {
  const at::NoGradGuard no_grad;
  const auto now = static_cast<double>(step);
  const double decay = std::min(decay_, (1 + now) / (10 + now));
  for (const auto& [name, tensor] : present) average_.at(name).lerp_(tensor.detach(), 1 - decay);
}

}  // namespace octet
