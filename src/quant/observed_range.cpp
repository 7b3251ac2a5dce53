#include "quant/observed_range.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/aminmax.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "quant/solve.h"

namespace octet {
namespace {

constexpr float kBatchShare = 0.01F;  // of a batch in the moving average

}  // namespace

ObservedRange::ObservedRange(const QuantParams& params, const FromData& bounds,
                             const Scheme& scheme)
    : bounds_(bounds), scheme_(scheme), ends_(at::empty({2})) {
  const float scale = params.scale.at(0);
  auto* ends = ends_.mutable_data_ptr<float>();
  ends[0] = scale * static_cast<float>(params.low - params.zero_point.at(0));
  ends[1] = scale * static_cast<float>(params.high - params.zero_point.at(0));
}

void ObservedRange::look(const at::Tensor& tensor) {
  if (frozen_ || !at::GradMode::is_enabled() || tensor.numel() == 0) return;
  const at::NoGradGuard no_grad;
  const auto [low, high] = at::aminmax(tensor.detach());
  auto* ends = ends_.mutable_data_ptr<float>();
  const auto follow = [&](float& end, float seen) {
    end += kBatchShare * (std::clamp(seen, bounds_.low, bounds_.high) - end);
  };
  follow(ends[0], low.item<float>());
  follow(ends[1], high.item<float>());
}

QuantParams ObservedRange::params() const {
  const auto* ends = ends_.const_data_ptr<float>();
  return activation_params({.low = ends[0], .high = ends[1], .empty = false}, scheme_);
}

}  // namespace octet
