#pragma once

#include <ATen/core/Tensor.h>

#include "graph/quant_table.h"
#include "quant/place.h"

namespace octet {

/// The step of an activation's grid as something that a gradient can move (S. K. Esser et al.,
/// "Learned Step Size Quantization", 2020, equation 3). What is learned is the logarithm of a
/// factor on the step. The zero point stays, so that 0 is exact and absorbed activations still clip
/// there; the grid never reaches beyond `bounds` if it did not before, nor changes by more than a
/// factor of two.
class LearnedRange {
 public:
  LearnedRange(const QuantParams& params, const FromData& bounds);

  const at::Tensor& variable() const { return variable_; }
  /// The tensor on the present grid, with gradients for it (straight-through) and the variable.
  at::Tensor round(const at::Tensor& tensor) const;
  /// Brings the variable back to where it may be, after a step.
  void keep_inside();
  /// The present grid.
  QuantParams params() const;

 private:
  at::Tensor scale() const;
  QuantParams start_;
  double least_ = 0;
  double most_ = 0;  ///< factors on the step
  at::Tensor zero_point_;
  at::Tensor variable_;
};

}  // namespace octet
