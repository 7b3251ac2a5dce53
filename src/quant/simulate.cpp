#include "quant/simulate.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/fake_quantize_per_channel_affine.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <utility>

#include "graph/quantize_tensor.h"
#include "quant/fake_quantize.h"
#include "quant/saturation.h"
#include "quant/solve.h"

namespace octet {
namespace {

at::Tensor round_activation(ValueId id, const at::Tensor& tensor, const Placement& placement,
                            const QuantTable& table) {
  const QuantParams* params = table.find(id);
  return params && !placement.exact.contains(id) ? fake_quantize(tensor, *params) : tensor;
}

/// Rounded to the grid of integers from `low` to `high`; `scale` has one element, or one for each
/// index along `axis`.
at::Tensor rounded_along(const at::Tensor& tensor, const at::Tensor& scale, int64_t axis,
                         std::pair<int64_t, int64_t> range) {
  const at::Tensor each = scale.dim() == 0 ? scale.expand({tensor.size(axis)}).contiguous() : scale;
  return at::fake_quantize_per_channel_affine(tensor, each,
                                              at::zeros_like(each, each.options().dtype(at::kInt)),
                                              axis, range.first, range.second);
}

}  // namespace

Simulation::Simulation(const Graph& graph, const Placement& placement, const QuantTable& table)
    : placement_(placement), table_(table) {
  for (const auto& [id, params] : table.values()) {
    const auto& real = graph.value(id).constant;
    if (!real) continue;
    at::Tensor tensor = to_torch(dequantize(quantize(*real, params), params));
    if (tensor.dim() == 4) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
    constants_.emplace(id, tensor);
  }
}

at::Tensor Simulation::constant(ValueId id, const at::Tensor& tensor) {
  const auto it = constants_.find(id);
  return it == constants_.end() ? tensor : it->second;
}

at::Tensor Simulation::activation(ValueId id, const at::Tensor& tensor) {
  return round_activation(id, tensor, placement_, table_);
}

at::Tensor TrainingSimulation::weight_scale(ValueId id, const WeightGrid& rule) const {
  at::Tensor scale = least_scale(id, rule);
  if (placement_.scheme.scales == Scheme::Scales::PowerOfTwo) {
    scale = scale.clone();
    float* const held = scale.data_ptr<float>();
    std::transform(held, held + scale.numel(), held, power_of_two);
  }
  return scale;
}

at::Tensor TrainingSimulation::least_scale(ValueId id, const WeightGrid& rule) const {
  const at::NoGradGuard no_grad;
  const at::Tensor weight = executor_.constant(id).detach();
  std::vector<int64_t> others;
  for (int64_t d = 0; d < weight.dim(); ++d) {
    if (d != rule.axis) others.push_back(d);
  }
  // In the full range what lies below zero has a step more.
  const at::Tensor magnitude =
      full_range() ? at::maximum(weight, weight * (-127.0F / 128.0F)) : weight.abs();
  at::Tensor scale = at::amax(magnitude, others) / 127.0F;
  scale.clamp_min_(kSmallestScale);
  if (rule.pairs != PairOrder::None) {
    const at::Tensor least = pair_scales(rule.pairs, weight);
    scale = at::maximum(scale, rule.axis < 0 ? least.amax() : least);
  }
  if (rule.bias == kAbsent) return scale;
  const float input_scale = table_.find(rule.input)->scale[0];
  at::Tensor bias = executor_.constant(rule.bias).detach().abs();
  if (rule.axis < 0) bias = bias.amax();
  return at::maximum(scale, bias / (input_scale * kLargestBias));
}

at::Tensor TrainingSimulation::constant(ValueId id, const at::Tensor& tensor) {
  const auto group = placement_.group_of.find(id);
  if (group == placement_.group_of.end()) return tensor;
  const GroupRule& rule = placement_.groups[group->second].rule;
  if (const auto* weight = std::get_if<WeightGrid>(&rule)) {
    return rounded_along(tensor, weight_scale(id, *weight), std::max(weight->axis, 0),
                         {full_range() ? -128 : -127, 127});
  }
  if (const auto* bias = std::get_if<BiasGrid>(&rule)) {
    const auto& weight =
        std::get<WeightGrid>(placement_.groups[placement_.group_of.at(bias->weight)].rule);
    const at::Tensor scale =
        weight_scale(bias->weight, weight) * table_.find(bias->input)->scale[0];
    return rounded_along(tensor, scale, 0, {lowest(DType::Int32), highest(DType::Int32)});
  }
  return fake_quantize(tensor, *table_.find(id));
}

at::Tensor TrainingSimulation::activation(ValueId id, const at::Tensor& tensor) {
  return round_activation(id, tensor, placement_, table_);
}

}  // namespace octet
