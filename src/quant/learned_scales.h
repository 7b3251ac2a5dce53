#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "graph/quant_table.h"

namespace octet {

/// The scales of a weight's channels as something that gradients can move: the logarithms of
/// factors on them, as in `LearnedRange`.
class LearnedScales {
 public:
  explicit LearnedScales(const QuantParams& params);

  const at::Tensor& variable() const { return variable_; }
  /// The present scales, one for each channel.
  std::vector<float> scales() const;
  /// Brings the factors back between 1/4 and 4.
  void keep_inside();

 private:
  std::vector<float> start_;
  at::Tensor variable_;
};

}  // namespace octet
