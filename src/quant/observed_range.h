#pragma once

#include <ATen/core/Tensor.h>

#include "graph/quant_table.h"
#include "quant/place.h"

namespace octet {

/// The grid of an activation that follows what training sees: both ends of its range are moving
/// averages of the smallest and the largest value of a batch (B. Jacob et al., "Quantization and
/// Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", 2018,
/// section 3.1). They begin where calibration has put them, and stay within the bounds of absorbed
/// activations.
class ObservedRange {
 public:
  ObservedRange(const QuantParams& params, const FromData& bounds, const Scheme& scheme);

  /// Follows the tensor, while gradients are recorded.
  void look(const at::Tensor& tensor);
  /// From now on the grid stays.
  void freeze() { frozen_ = true; }
  /// The present grid.
  QuantParams params() const;
  /// The smallest and the largest value, which runs move.
  const at::Tensor& ends() const { return ends_; }

 private:
  FromData bounds_;
  Scheme scheme_;
  at::Tensor ends_;
  bool frozen_ = false;
};

}  // namespace octet
