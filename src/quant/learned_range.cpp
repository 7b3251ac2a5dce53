#include "quant/learned_range.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

namespace octet {
namespace {

/// The factor by which the grid's end at `steps` from 0 may move away to reach `bound`.
double room(double scale, double steps, double bound) {
  const double end = scale * steps;
  return std::isfinite(bound) && end > 0 ? std::max(bound / end, 1.0) : 2.0;
}

double number(const at::Tensor& variable) {
  return variable.defined() ? static_cast<double>(variable.const_data_ptr<float>()[0]) : 0.0;
}

at::Tensor moving_zero() { return at::zeros({1}).set_requires_grad(true); }

}  // namespace

LearnedRange::LearnedRange(const QuantParams& params, const FromData& bounds, bool zero_point)
    : start_(params) {
  const double scale = params.scale.at(0);
  const double zero = params.zero_point.at(0);
  least_ = 0.5;
  most_ = std::min({2.0, room(scale, params.high - zero, bounds.high),
                    room(scale, zero - params.low, -bounds.low)});
  variables_.log_scale = moving_zero();
  const bool bounded = std::isfinite(bounds.low) || std::isfinite(bounds.high);
  if (zero_point && !bounded && zero != 0) variables_.zero_point = moving_zero();
}

void LearnedRange::keep_inside() {
  const at::NoGradGuard no_grad;
  variables_.log_scale.clamp_(std::log(least_), std::log(most_));
  if (!variables_.zero_point.defined()) return;
  const double zero = start_.zero_point[0];
  const double width = start_.high - start_.low;
  variables_.zero_point.clamp_((start_.low - zero) / width, (start_.high - zero) / width);
}

at::Tensor LearnedRange::round(const at::Tensor& tensor) const {
  return fake_quantize(tensor, params(), variables_);
}

QuantParams LearnedRange::params() const {
  QuantParams params = start_;
  const double factor = std::exp(number(variables_.log_scale));
  params.scale[0] = static_cast<float>(params.scale[0] * std::clamp(factor, least_, most_));
  const double moved = number(variables_.zero_point) * (params.high - params.low);
  const double zero = std::nearbyint(params.zero_point[0] + moved);
  params.zero_point[0] = static_cast<int32_t>(
      std::clamp(zero, static_cast<double>(params.low), static_cast<double>(params.high)));
  return params;
}

}  // namespace octet
