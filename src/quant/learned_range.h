#pragma once

#include <ATen/core/Tensor.h>

#include "graph/quant_table.h"
#include "quant/fake_quantize.h"
#include "quant/place.h"

namespace octet {

/// The grid of an activation as something that a gradient can move (S. K. Esser et al., "Learned
/// Step Size Quantization", 2020, equation 3). What is learned is the logarithm of a factor on the
/// step: with an optimizer such as Adam, no scaling of gradients has to make up for the size of
/// steps and tensors (S. R. Jain et al., "Trained Quantization Thresholds", 2020, section 3). 0
/// stays exact, absorbed activations still clip there, the grid never reaches beyond `bounds` if it
/// did not before, nor changes its step by more than a factor of two.
class LearnedRange {
 public:
  /// With `zero_point` that moves too (Y. Bhalgat et al., "LSQ+", 2020, section 3.1), in whole
  /// steps within the grid's integers; not where `bounds` are, nor where the grid is symmetric.
  LearnedRange(const QuantParams& params, const FromData& bounds, bool zero_point = false);

  /// What gradients move.
  const at::Tensor& variable() const { return variables_.log_scale; }
  const GridVariables& variables() const { return variables_; }
  /// The tensor on the present grid, with gradients for it (straight-through) and the variables.
  at::Tensor round(const at::Tensor& tensor) const;
  /// Brings the variables back to where they may be, after a step.
  void keep_inside();
  /// The present grid.
  QuantParams params() const;

 private:
  QuantParams start_;
  double least_ = 0;
  double most_ = 0;  ///< factors on the step
  GridVariables variables_;
};

}  // namespace octet
