#include "quant/saturation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <format>
#include <optional>

#include "dialects/onnxruntime_pairs.h"
#include "engine/executor.h"
#include "graph/quantize_tensor.h"
#include "kernels/pair_sums.h"
#include "ops/op_def.h"
#include "ops/weight.h"

namespace octet {
namespace {

/// The largest magnitude of a pair's sum in every channel. Weights of opposite signs take from each
/// other: their pair is bounded by the larger one alone.
at::Tensor largest_sums(PairOrder order, const at::Tensor& weight) {
  // Rows in the kernel's order, one after the other in memory.
  at::Tensor rows = order == PairOrder::Columns ? weight.t().contiguous() : weight.contiguous();
  if (order == PairOrder::ChannelsLast) {
    rows = weight.dim() == 4 ? weight.contiguous(at::MemoryFormat::ChannelsLast)
                             : weight.movedim(1, -1).contiguous();
  }
  at::Tensor largest = at::empty({rows.size(0)}, at::kFloat);
  largest_pair_sums({rows.const_data_ptr<float>(), static_cast<size_t>(rows.numel())},
                    {largest.mutable_data_ptr<float>(), static_cast<size_t>(largest.numel())});
  return largest;
}

std::optional<PairMargin> margin_of(const Graph& graph, const QuantTable& table, NodeId id) {
  const Node& node = graph.node(id);
  const auto* rule = std::get_if<Weighted>(&op_of(node).quant.value);
  const ValueId weight = rule ? node.input(rule->weight) : kAbsent;
  if (!graph.is_constant(weight)) return std::nullopt;
  const QuantParams* in = table.find(node.inputs[0]);
  const QuantParams* grid = table.find(weight);
  // Any other is stored as uint8.
  const bool int8 =
      grid && grid->type == DType::Int8 && (grid->low != -128 || is_weight(graph, weight));
  if (!int8 || !in || in->type != DType::Int8) return std::nullopt;
  const Tensor& real = *graph.value(weight).constant;
  const PairOrder order = pair_order(node, real.shape);
  if (order == PairOrder::None) return std::nullopt;
  const at::Tensor largest = largest_sums(order, to_torch(quantize(real, *grid)).to(at::kFloat));
  return PairMargin{.node = id,
                    .channels = largest.numel(),
                    .saturating = (largest > kLargestPair).sum().item<int64_t>(),
                    .largest = static_cast<int32_t>(largest.amax().item<float>())};
}

}  // namespace

std::vector<PairMargin> pair_margins(const Graph& graph, const QuantTable& table) {
  std::vector<PairMargin> margins;
  for (const NodeId id : graph.order()) {
    if (const auto margin = margin_of(graph, table, id)) margins.push_back(*margin);
  }
  return margins;
}

std::string describe_margins(const Graph& graph, const std::vector<PairMargin>& margins) {
  int64_t channels = 0;
  int64_t saturating = 0;
  int64_t nodes = 0;
  const PairMargin* worst = nullptr;
  for (const PairMargin& margin : margins) {
    channels += margin.channels;
    saturating += margin.saturating;
    nodes += margin.saturating > 0 ? 1 : 0;
    if (!worst || margin.largest > worst->largest) worst = &margin;
  }
  if (saturating == 0) {
    return std::format("x86 without VNNI: no input can saturate any of {} channels in {} nodes",
                       channels, margins.size());
  }
  return std::format(
      "x86 without VNNI: {} of {} channels can saturate, in {} of {} nodes; the worst is {}, where "
      "two neighbouring weights sum up to {} ({} cannot saturate)",
      saturating, channels, nodes, margins.size(), describe(graph.node(worst->node)),
      worst->largest, kLargestPair);
}

void avoid_saturation(const Graph& graph, Placement& placement) {
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    const auto* rule = std::get_if<Weighted>(&op_of(node).quant.value);
    const auto group = placement.group_of.find(rule ? node.input(rule->weight) : kAbsent);
    if (group == placement.group_of.end()) continue;
    auto* grid = std::get_if<WeightGrid>(&placement.groups[group->second].rule);
    if (grid) grid->pairs = pair_order(node, graph.value(group->first).constant->shape);
  }
}

at::Tensor pair_scales(PairOrder order, const at::Tensor& weight) {
  // Rounding adds at most a half to either weight: from below 128, less than 129 in whole numbers.
  constexpr float kSum = static_cast<float>(kLargestPair) - 0.001F;
  return largest_sums(order, weight).div_(kSum);
}

void widen_for_pairs(PairOrder order, const Tensor& weight, QuantParams& params) {
  const at::Tensor least = pair_scales(order, to_torch(weight)).contiguous();
  const float* scales = least.const_data_ptr<float>();
  for (int64_t c = 0; c < least.numel(); ++c) {
    float& scale = params.scale[params.per_tensor() ? 0 : static_cast<size_t>(c)];
    scale = std::max(scale, scales[c]);
  }
}

}  // namespace octet
