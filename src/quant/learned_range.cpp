#include "quant/learned_range.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fake_quantize_learnable_per_tensor_affine.h>
#include <ATen/ops/full.h>
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

}  // namespace

LearnedRange::LearnedRange(const QuantParams& params, const FromData& bounds) : start_(params) {
  const double scale = params.scale.at(0);
  const double zero = params.zero_point.at(0);
  least_ = 0.5;
  most_ = std::min({2.0, room(scale, params.high - zero, bounds.high),
                    room(scale, zero - params.low, -bounds.low)});
  zero_point_ = at::full({1}, zero - params.low);
  variable_ = at::zeros({1});
  variable_.set_requires_grad(true);
}

at::Tensor LearnedRange::scale() const {
  return variable_.exp() * static_cast<double>(start_.scale[0]);
}

void LearnedRange::keep_inside() {
  const at::NoGradGuard no_grad;
  variable_.clamp_(std::log(least_), std::log(most_));
}

at::Tensor LearnedRange::round(const at::Tensor& tensor) const {
  // Counted from the lowest integer: LibTorch 2.14 rounds a zero point below 0 up, so that grids
  // would end a step early on one side.
  return at::_fake_quantize_learnable_per_tensor_affine(tensor, scale(), zero_point_, 0,
                                                        start_.high - start_.low);
}

QuantParams LearnedRange::params() const {
  QuantParams params = start_;
  const double factor = std::exp(variable_.item<double>());
  params.scale[0] = static_cast<float>(params.scale[0] * std::clamp(factor, least_, most_));
  return params;
}

}  // namespace octet
