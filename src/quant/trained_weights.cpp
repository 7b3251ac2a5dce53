#include "quant/trained_weights.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/maximum.h>

#include <algorithm>
#include <cmath>

#include "quant/saturation.h"
#include "quant/solve.h"

namespace octet {
namespace {

std::vector<float> numbers(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.contiguous();
  const auto* from = plain.const_data_ptr<float>();
  return {from, from + plain.numel()};
}

/// The least scales with which nothing of the weight is clipped.
std::vector<float> covering_scales(const at::Tensor& weight, int axis, WeightBounds bounds) {
  std::vector<int64_t> others;
  for (int64_t d = 0; d < weight.dim(); ++d) {
    if (d != axis) others.push_back(d);
  }
  const float below = static_cast<float>(bounds.high) / static_cast<float>(bounds.low);
  const at::Tensor magnitude = at::maximum(weight, weight * below);
  const at::Tensor most = at::amax(magnitude, others) / static_cast<float>(bounds.high);
  return numbers(most.clamp_min_(kSmallestScale));
}

/// Raises scales, one or one for each, to the least ones.
void raise(std::vector<float>& scales, std::span<const float> least) {
  for (size_t i = 0; i < least.size(); ++i) {
    float& scale = scales[scales.size() == 1 ? 0 : i];
    scale = std::max(scale, least[i]);
  }
}

}  // namespace

TrainedWeights::TrainedWeights(const Placement& placement, const QuantTable& table,
                               GridMoves scales, float damping)
    : placement_(placement), table_(table), damping_(damping) {
  if (scales == GridMoves::Observed) return;
  for (const Group& group : placement.groups) {
    const ValueId id = group.members[0];
    const QuantParams* params = table.find(id);
    if (!params || params->origin == Origin::Imported) continue;
    if (group.scheme.scales == Scheme::Scales::PowerOfTwo) continue;
    if (!std::holds_alternative<WeightGrid>(group.rule)) continue;
    const auto [it, added] = learned_.try_emplace(id, *params);
    if (scales == GridMoves::Fixed) it->second.variable().set_requires_grad(false);
  }
}

/// The grids that the weight has now: what it has learned or needs to clip nothing, but wide enough
/// for its bias, and for pairs that must not saturate.
ChannelGrids TrainedWeights::grids_of(ValueId id, const at::Tensor& weight, const at::Tensor& bias,
                                      float input_scale) const {
  const at::NoGradGuard no_grad;
  const Group& group = placement_.groups[placement_.group_of.at(id)];
  const auto& rule = std::get<WeightGrid>(group.rule);
  const Scheme& scheme = group.scheme;
  const WeightBounds bounds = weight_bounds(scheme);
  const QuantParams* given = table_.find(id);
  if (given && given->origin == Origin::Imported) {
    return {.scales = given->scale,
            .axis = rule.axis,
            .low = given->low,
            .high = given->high,
            .damping = damping_};
  }
  const auto learned = learned_.find(id);
  ChannelGrids grids{.scales = learned != learned_.end()
                                   ? learned->second.scales()
                                   : covering_scales(weight, rule.axis, bounds),
                     .axis = rule.axis,
                     .low = bounds.low,
                     .high = bounds.high,
                     .damping = damping_};
  const std::vector<float> wanted = grids.scales;
  if (rule.pairs != PairOrder::None) raise(grids.scales, numbers(pair_scales(rule.pairs, weight)));
  if (bias.defined()) {
    std::vector<float> least = numbers(bias.detach());
    for (float& number : least) number = std::abs(number) / (input_scale * kLargestBias);
    raise(grids.scales, least);
  }
  if (scheme.scales == Scheme::Scales::PowerOfTwo) {
    std::ranges::transform(grids.scales, grids.scales.begin(), power_of_two);
  }
  if (learned != learned_.end()) {
    grids.log_scales = learned->second.variable();
    for (size_t c = 0; c < wanted.size(); ++c) grids.held.push_back(grids.scales[c] > wanted[c]);
  }
  return grids;
}

at::Tensor TrainedWeights::round(ValueId id, const at::Tensor& weight, const at::Tensor& bias,
                                 float input_scale) {
  const ChannelGrids grids = grids_of(id, weight.detach(), bias, input_scale);
  present_[id] = grids.scales;
  return fake_quantize_channels(weight, grids);
}

at::Tensor TrainedWeights::round(const BiasGrid& rule, const at::Tensor& bias,
                                 float input_scale) const {
  std::vector<float> scales = present_.at(rule.weight);
  for (float& scale : scales) scale *= input_scale;
  return fake_quantize_bias(bias, scales);
}

}  // namespace octet
