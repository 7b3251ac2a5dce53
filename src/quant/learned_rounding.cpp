#include "quant/learned_rounding.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/logit.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>

#include "dialects/onnxruntime_pairs.h"
#include "engine/executor.h"
#include "quant/saturation.h"

namespace octet {
namespace {

// The sigmoid is stretched from [0, 1] to [-0.1, 1.1], and cut: so its ends are reached.
constexpr double kRectifiedLow = -0.1;
constexpr double kRectifiedHigh = 1.1;
// From here on a pair may have a say in the scale (pair_scales), but for the rounding of floats.
constexpr double kLargeSum = (kLargestPair - 0.001) * (1 - 1e-6);

at::Tensor scales_along(const QuantParams& params, const at::Tensor& weight) {
  std::vector<int64_t> shape(static_cast<size_t>(weight.dim()), 1);
  if (!params.per_tensor()) {
    shape[static_cast<size_t>(params.axis)] = static_cast<int64_t>(params.scale.size());
  }
  return to_torch(Tensor::of<float>(shape, std::span<const float>(params.scale)));
}

/// Of the pairs that `which` ([out, pairs]) marks, the places in the weight, as a mask.
at::Tensor places_of(const at::Tensor& which, PairOrder order, const at::Tensor& weight) {
  // A last weight without a partner has 0 for it; so places count from 1.
  at::Tensor places = at::arange(1, weight.numel() + 1, at::kLong).reshape(weight.sizes());
  places = weight_pairs(order, places).masked_select(which.unsqueeze(-1));
  at::Tensor mask = at::zeros({weight.numel() + 1}, at::kBool);
  mask.index_fill_(0, places, true);
  mask = mask.narrow(0, 1, weight.numel()).reshape(weight.sizes());
  return mask.contiguous(weight.suggest_memory_format());
}

}  // namespace

LearnedRounding::LearnedRounding(at::Tensor weight, const QuantParams& params, PairOrder pairs)
    : weight_(std::move(weight)), last_(params.high), pairs_(pairs) {
  const at::NoGradGuard no_grad;
  scale_ = scales_along(params, weight_);
  const at::Tensor steps = weight_ / scale_;
  nearest_ = steps.round().clamp(-last_, last_);
  down_ = steps.floor();
  kept_ = ends_of_grid();
  const at::Tensor start = (steps - down_ - kRectifiedLow) / (kRectifiedHigh - kRectifiedLow);
  variable_ = at::logit(start).detach();
  variable_.set_requires_grad(true);
}

/// What makes the scale: the ends of the grid, and pairs as large as they may be.
at::Tensor LearnedRounding::ends_of_grid() const {
  at::Tensor ends = nearest_.abs() >= last_;
  if (pairs_ == PairOrder::None) return ends;
  const at::Tensor sums = weight_pairs(pairs_, weight_ / scale_).sum(-1).abs();
  return ends.logical_or_(places_of(sums > kLargeSum, pairs_, weight_));
}

at::Tensor LearnedRounding::share_up() const {
  const at::Tensor share =
      at::sigmoid(variable_) * (kRectifiedHigh - kRectifiedLow) + kRectifiedLow;
  return share.clamp(0, 1);
}

at::Tensor LearnedRounding::soft() const {
  return at::where(kept_, nearest_, down_ + share_up()) * scale_;
}

at::Tensor LearnedRounding::undecided(double beta) const {
  return 1 - (share_up() * 2 - 1).abs().pow(beta).mean();
}

at::Tensor LearnedRounding::hard() const {
  const at::NoGradGuard no_grad;
  at::Tensor chosen = at::where(share_up() >= 0.5, down_ + 1, down_);
  chosen.clamp_(-last_, last_);
  chosen = at::where(kept_, nearest_, chosen);
  // The largest weight that asks for no larger scale.
  at::Tensor most = scale_ * last_;
  most = at::where(most / last_ > scale_, most * (1 - 1e-7), most);
  chosen = at::where(chosen == nearest_, weight_,
                     at::minimum(chosen.abs() * scale_, most).copysign(chosen));
  if (pairs_ != PairOrder::None) keep_pairs(chosen);
  return chosen;
}

void LearnedRounding::keep_pairs(at::Tensor& chosen) const {
  const at::Tensor sums = weight_pairs(pairs_, chosen / scale_).sum(-1).abs();
  const at::Tensor large = sums > kLargeSum;
  if (!large.any().item<bool>()) return;
  chosen = at::where(places_of(large, pairs_, weight_), weight_, chosen);
}

}  // namespace octet
