#pragma once

#include <ATen/core/Tensor.h>

#include "quant/fake_quantize.h"

namespace octet {

/// A function of a rounded value, on the integers of that value's grid, from the lowest.
struct PointwiseTable {
  at::Tensor values;         ///< rounded
  at::Tensor slopes;         ///< by the rounded value
  at::Tensor result_slopes;  ///< by `result_log_scale`
  at::Tensor result_log_scale = {};
};
/// The table of a function whose results, and slopes, are given: rounded to the grid `now`, which
/// the variable `log_scale` moves (undefined: nothing). What is clipped has no slope. Not-a-number
/// is 0, as in the tables of files (quant/lookup.h).
PointwiseTable rounded_table(const at::Tensor& real, const at::Tensor& slopes,
                             const QuantParams& now, const at::Tensor& log_scale);

/// The function of the tensor on the grid `now`, in one pass. `log_scale` moves that grid, as in
/// `GridVariables`; undefined: nothing does.
at::Tensor look_up(const at::Tensor& tensor, const QuantParams& now, const at::Tensor& log_scale,
                   const PointwiseTable& table, Into into = Into::New);

}  // namespace octet
