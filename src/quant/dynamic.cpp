#include "quant/dynamic.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/fail.h"
#include "ops/op_def.h"
#include "quant/solve.h"

namespace octet {
namespace {

/// The axis of the scales of the node's weight; nullopt where it is not to be quantized.
std::optional<int> weight_axis(const Graph& graph, const Node& node) {
  const auto* rule = std::get_if<Weighted>(&op_of(node).quant.value);
  const ValueId id = rule ? node.input(rule->weight) : kAbsent;
  if (!graph.is_constant(id) || graph.value(id).fixed || node.op == "ConvTranspose") {
    return std::nullopt;
  }
  const size_t rank = graph.value(id).shape.size();
  if (rank != (node.op == "Conv" ? 4U : 2U)) return std::nullopt;
  const int axis = rule->axis(node, rank);
  return axis < 0 ? std::nullopt : std::optional(axis);
}

QuantParams weight_grid(const Graph& graph, ValueId id, int axis) {
  const Tensor& weight = *graph.value(id).constant;
  const auto values = weight.as<float>();
  const auto at = static_cast<size_t>(std::max(axis, 0));
  const size_t count = axis < 0 ? 1 : static_cast<size_t>(weight.shape[at]);
  const auto inner = static_cast<size_t>(
      element_count(std::span<const int64_t>(weight.shape).subspan(axis < 0 ? 0 : at + 1)));
  QuantParams params{.axis = axis, .low = -127, .high = 127, .scale = {}, .zero_point = {}};
  params.scale.assign(count, kSmallestScale);
  params.zero_point.assign(count, 0);
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      fail(Code::Numeric, "the weight '{}' is not finite", graph.value(id).name);
    }
    float& scale = params.scale[i / inner % count];
    scale = std::max(scale, std::abs(values[i]) / 127.0F);
  }
  return params;
}

}  // namespace

QuantTable dynamic_table(const Graph& graph, const TargetSet& targets) {
  const bool one_scale = std::ranges::any_of(targets.profiles(), [](const TargetProfile* target) {
    return target->extension == ".tflite";
  });
  QuantTable table;
  for (const NodeId node_id : graph.order()) {
    const Node& node = graph.node(node_id);
    const auto axis = weight_axis(graph, node);
    if (!axis) continue;
    table.set(node.inputs[1],
              weight_grid(graph, node.inputs[1], one_scale && node.op != "Conv" ? -1 : *axis));
  }
  return table;
}

}  // namespace octet
