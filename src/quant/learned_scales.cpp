#include "quant/learned_scales.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

namespace octet {

namespace {

/// A channel of zeros, or nearly so, must be able to grow: factors alone would hold it there.
std::vector<float> with_room(std::vector<float> scales) {
  constexpr float kLeastShare = 1e-3F;  // of the largest scale
  const float least = std::ranges::max(scales) * kLeastShare;
  for (float& scale : scales) scale = std::max(scale, least);
  return scales;
}

}  // namespace

LearnedScales::LearnedScales(const QuantParams& params)
    : start_(with_room(params.scale)),
      variable_(at::zeros({static_cast<int64_t>(start_.size())}).set_requires_grad(true)) {}

std::vector<float> LearnedScales::scales() const {
  const auto* factors = variable_.const_data_ptr<float>();
  std::vector<float> now(start_.size());
  for (size_t c = 0; c < now.size(); ++c) now[c] = start_[c] * std::exp(factors[c]);
  return now;
}

void LearnedScales::keep_inside() {
  const at::NoGradGuard no_grad;
  variable_.clamp_(-std::log(4.0), std::log(4.0));
}

}  // namespace octet
