#include <algorithm>

#include "passes/passes.h"

namespace octet {
namespace {

bool covers_image(const Graph& graph, const Node& node) {
  const Shape& in = graph.value(node.inputs[0]).shape;
  const auto kernel = node.integers("kernel_shape");
  const auto pads = node.integers("pads", {0, 0, 0, 0});
  return in.size() == 4 && kernel.size() == 2 && kernel[0] == in[2] && kernel[1] == in[3] &&
         std::ranges::all_of(pads, [](int64_t pad) { return pad == 0; }) &&
         node.integers("dilations", {1, 1}) == std::vector<int64_t>{1, 1} &&
         node.text("auto_pad", "NOTSET") == "NOTSET";
}

bool reduces_image(const Graph& graph, const Node& node) {
  const Tensor* axes = graph.constant_input(node, 1);
  if (!axes || graph.value(node.inputs[0]).shape.size() != 4) return false;
  std::vector<int64_t> wanted;
  for (const int64_t axis : axes->as<int64_t>()) wanted.push_back(axis < 0 ? axis + 4 : axis);
  std::ranges::sort(wanted);
  return wanted == std::vector<int64_t>{2, 3};
}

/// The operator that computes the same of a whole image; empty when there is none.
std::string_view global_form(const Graph& graph, const Node& node) {
  if (node.outputs.size() != 1) return {};
  if (node.op == "ReduceMean" && reduces_image(graph, node)) return "GlobalAveragePool";
  if (node.op == "ReduceMax" && reduces_image(graph, node)) return "GlobalMaxPool";
  if (node.op == "AveragePool" && covers_image(graph, node)) return "GlobalAveragePool";
  if (node.op == "MaxPool" && covers_image(graph, node)) return "GlobalMaxPool";
  return {};
}

}  // namespace

size_t canonicalize_pooling(Graph& graph) {
  size_t changed = 0;
  for (const NodeId id : std::vector(graph.order())) {
    const Node node = graph.node(id);
    const std::string_view form = global_form(graph, node);
    if (form.empty()) continue;
    const size_t count = graph.order().size();
    const ValueId pooled = graph.add_op(std::string(form), node.name, {node.inputs[0]});
    if (node.op.starts_with("Reduce") && node.integer("keepdims", 1) == 0) {
      graph.add_op("Flatten", node.name + "/flat", {pooled}, {{"axis", int64_t{1}}});
    }
    graph.node(graph.order().back()).outputs = node.outputs;
    graph.splice(id, count);
    ++changed;
  }
  return changed;
}

}  // namespace octet
