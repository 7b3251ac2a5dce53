#pragma once

#include <ATen/core/Tensor.h>

#include "dialects/pair_order.h"
#include "graph/quant_table.h"
#include "graph/tensor.h"

namespace octet {

/// Whether each weight of a layer is rounded down or up, as something that a gradient can move: a
/// rectified sigmoid of a variable (M. Nagel et al., "Up or Down? Adaptive Rounding for
/// Post-Training Quantization", 2020, equations 22 to 24). It starts where the soft weights are the
/// float ones.
///
/// Scales are the table's, and stay so: what `hard` gives asks `solve_constants` for the same
/// scale, to the bit. So weights at the ends of the grid, and pairs that have made the scale what
/// it is (quant/saturation.h), are rounded to nearest; and so are pairs that rounding has made too
/// large.
class LearnedRounding {
 public:
  /// `weight` is float, in any layout; `params` its entry of the table (int8, zero point 0).
  LearnedRounding(at::Tensor weight, const QuantParams& params, PairOrder pairs);

  /// What a gradient moves; of the weight's shape.
  const at::Tensor& variable() const { return variable_; }
  /// Weights between the two grid points around them, with gradients.
  at::Tensor soft() const;
  /// Mean over the weights of 1 - |2 h - 1|^beta: 0 where all are decided.
  at::Tensor undecided(double beta) const;
  /// Float weights whose integers are the decided ones: grid points where these are not the nearest
  /// ones, elsewhere the weights as they were. Each integer is within 1 of the nearest.
  at::Tensor hard() const;

 private:
  at::Tensor share_up() const;
  at::Tensor ends_of_grid() const;
  void keep_pairs(at::Tensor& chosen) const;

  at::Tensor weight_;
  at::Tensor scale_;    ///< broadcasts to the weight
  at::Tensor nearest_;  ///< integers, as floats
  at::Tensor down_;
  at::Tensor kept_;  ///< true where the weight is rounded to nearest
  at::Tensor variable_;
  double last_;  ///< integer of the grid
  PairOrder pairs_;
};

}  // namespace octet
