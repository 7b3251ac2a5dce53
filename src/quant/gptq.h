#pragma once

#include <ATen/core/Tensor.h>

#include <span>

#include "quant/group_weights.h"

namespace octet {

struct GptqSettings {
  /// Added to the diagonal of the Gram matrix, as a share of its mean.
  double damping = 0.01;
  /// Inputs in falling order of their squares instead of as they lie; groups then keep the grids of
  /// the weights as they were.
  bool largest_first = false;
};

/// Rounds a matrix [outputs, inputs] input by input, and moves the error of each into the weights
/// that are not rounded yet, so that the products of what the network really reads change least:
/// GPTQ (E. Frantar et al., ICLR 2023, algorithm 1), whose Hessian is `gram`, the mean of x^T x,
/// [inputs, inputs] in double. A group gets its grid (`group_params`) when its first weight is
/// rounded. Inputs that are always 0 are rounded to the nearest. Throws Code::Numeric for weights
/// that are not finite.
GroupedWeights gptq(std::span<const float> weights, int64_t outputs, const at::Tensor& gram,
                    const Scheme::Groups& groups, const GptqSettings& settings = {});

}  // namespace octet
