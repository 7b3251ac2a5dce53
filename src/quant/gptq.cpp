#include "quant/gptq.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/argsort.h>
#include <ATen/ops/cholesky_inverse.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linalg_cholesky_ex.h>
#include <ATen/ops/mm.h>

#include <algorithm>

#include "base/fail.h"

namespace octet {
namespace {

constexpr int64_t kLazyInputs = 128;  // rounded before the rest of the matrix hears of it

/// The upper Cholesky factor of the inverse of the damped Gram matrix.
at::Tensor inverse_factor(const at::Tensor& gram, double damping) {
  at::Tensor damped = gram.clone();
  at::Tensor diagonal = damped.diagonal();
  const double mean = diagonal.mean().item<double>();
  if (mean == 0) diagonal.fill_(1);
  for (double share = damping; share <= 1; share *= 10) {
    diagonal.add_(share * (mean == 0 ? 1 : mean));
    const auto [lower, failed] = at::linalg_cholesky_ex(damped);
    if (failed.item<int64_t>() != 0) continue;
    const at::Tensor inverse = at::cholesky_inverse(lower);
    const auto [factor, failed_again] = at::linalg_cholesky_ex(inverse, /*upper=*/true);
    if (failed_again.item<int64_t>() == 0) return factor.contiguous();
  }
  fail(Code::Numeric, "GPTQ: the Gram matrix of {} inputs is not positive, however damped",
       gram.size(0));
}

/// One matrix on its way, [inputs, outputs] in double, rounded from the first row to the last.
class GptqMatrix {
 public:
  GptqMatrix(const at::Tensor& by_input, const at::Tensor& factor, const Scheme::Groups& groups,
             GroupedWeights& made)
      : weights_(by_input),
        factor_(factor),
        groups_(groups),
        made_(made),
        inputs_(by_input.size(0)),
        outputs_(by_input.size(1)) {}

  /// `places`: where each row lies in the result. `given`: groups have their grids already.
  void run(std::span<const int64_t> places, bool given) {
    const int64_t lazy = std::max(kLazyInputs, groups_.size);
    for (int64_t first = 0; first < inputs_; first += lazy) {
      const int64_t last = std::min(first + lazy, inputs_);
      at::Tensor errors = weights_.new_empty({last - first, outputs_});
      for (int64_t i = first; i < last; ++i) {
        if (!given && i % groups_.size == 0) choose_grids(i);
        round(i, places[static_cast<size_t>(i)], row(errors, i - first));
        spread(i, last, row(errors, i - first));
      }
      if (last == inputs_) break;
      weights_.slice(0, last).sub_(
          at::mm(factor_.slice(0, first, last).slice(1, last).t(), errors));
    }
  }

 private:
  static double* row(const at::Tensor& matrix, int64_t index) {
    return matrix.data_ptr<double>() + index * matrix.size(1);
  }

  void choose_grids(int64_t first) {
    const int64_t count = std::min(groups_.size, inputs_ - first);
    std::vector<float> group(static_cast<size_t>(count));
    for (int64_t output = 0; output < outputs_; ++output) {
      for (int64_t i = 0; i < count; ++i) {
        group[static_cast<size_t>(i)] = static_cast<float>(row(weights_, first + i)[output]);
      }
      const GroupParams params = group_params(group, groups_);
      const size_t at = group_at(output, first);
      made_.grid.scale[at] = params.scale;
      made_.grid.zero_point[at] = params.zero_point;
    }
  }

  size_t group_at(int64_t output, int64_t place) const {
    return static_cast<size_t>(output * made_.grid.groups() + place / groups_.size);
  }

  void round(int64_t input, int64_t place, double* errors) {
    const double* weights = row(weights_, input);
    const double pivot = row(factor_, input)[input];
    for (int64_t output = 0; output < outputs_; ++output) {
      const size_t group = group_at(output, place);
      const float scale = made_.grid.scale[group];
      const int zero = made_.grid.zero_point[group];
      const uint8_t code =
          group_code(static_cast<float>(weights[output]), scale, zero, made_.grid.highest_code());
      made_.codes[static_cast<size_t>(output * inputs_ + place)] = code;
      errors[output] = (weights[output] - static_cast<double>(scale) * (code - zero)) / pivot;
    }
  }

  /// Over the rows that are rounded next.
  void spread(int64_t input, int64_t last, const double* errors) {
    const double* shares = row(factor_, input);
    for (int64_t other = input + 1; other < last; ++other) {
      double* weights = row(weights_, other);
      for (int64_t output = 0; output < outputs_; ++output) {
        weights[output] -= shares[other] * errors[output];
      }
    }
  }

  at::Tensor weights_;
  const at::Tensor& factor_;
  const Scheme::Groups& groups_;
  GroupedWeights& made_;
  int64_t inputs_;
  int64_t outputs_;
};

}  // namespace

GroupedWeights gptq(std::span<const float> weights, int64_t outputs, const at::Tensor& gram,
                    const Scheme::Groups& groups, const GptqSettings& settings) {
  const int64_t inputs = gram.size(0);
  // from_blob lacks const; it is copied.
  at::Tensor by_input =
      at::from_blob(const_cast<float*>(weights.data()), {outputs, inputs}, at::kFloat)
          .to(at::kDouble)
          .t()
          .contiguous();
  at::Tensor order = settings.largest_first
                         ? at::argsort(gram.diagonal(), /*dim=*/0, /*descending=*/true)
                         : at::arange(inputs, at::kLong);
  at::Tensor ordered = gram;
  if (settings.largest_first) {
    by_input = by_input.index_select(0, order);
    ordered = gram.index_select(0, order).index_select(1, order);
  }
  GroupedWeights made{.grid = empty_group_grid(outputs, inputs, groups), .codes = {}};
  if (settings.largest_first) made.grid = round_in_groups(weights, outputs, groups).grid;
  made.codes.resize(weights.size());
  const at::Tensor factor = inverse_factor(ordered, settings.damping);
  GptqMatrix matrix(by_input, factor, groups, made);
  matrix.run({order.const_data_ptr<int64_t>(), static_cast<size_t>(inputs)},
             settings.largest_first);
  return made;
}

}  // namespace octet
