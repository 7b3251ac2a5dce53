#include "quant/dynamic.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>

#include <algorithm>
#include <optional>

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

}  // namespace

Placement place_dynamically(const Graph& graph, const TargetSet& targets, const Scheme& scheme) {
  const bool tflite = std::ranges::any_of(targets.profiles(), [](const TargetProfile* target) {
    return target->extension == ".tflite";
  });
  Placement placement{.scheme = scheme};
  for (const NodeId node_id : graph.order()) {
    const Node& node = graph.node(node_id);
    const auto axis = weight_axis(graph, node);
    if (!axis || placement.group_of.contains(node.inputs[1])) continue;
    const bool product = node.op != "Conv";
    placement.group_of[node.inputs[1]] = placement.groups.size();
    placement.groups.push_back(
        {.members = {node.inputs[1]},
         .rule =
             WeightGrid{.axis = tflite && product ? -1 : *axis, .input = kAbsent, .bias = kAbsent},
         .scheme = scheme});
    // ONNX Runtime convolves real numbers.
    if (product || tflite) placement.read_by_image.insert(node.inputs[1]);
  }
  return placement;
}

at::Tensor fake_quantize_images(const at::Tensor& batch) {
  const at::Tensor real = batch.to(at::kFloat);
  at::Tensor error;
  {
    const at::NoGradGuard no_grad;
    std::vector<int64_t> inner;
    for (int64_t d = 1; d < batch.dim(); ++d) inner.push_back(d);
    const at::Tensor low = at::amin(real, inner, true).clamp_max_(0);
    const at::Tensor high = at::amax(real, inner, true).clamp_min_(0);
    const at::Tensor scale = ((high - low) / 255).clamp_min_(kSmallestScale);
    const at::Tensor zero = (-low / scale).round_();
    const at::Tensor integers = (real / scale).round_().add_(zero).clamp_(0, 255);
    error = integers.sub_(zero).mul_(scale).sub_(real);
  }
  return (real + error).to(batch.scalar_type());
}

}  // namespace octet
