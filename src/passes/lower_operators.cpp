#include <algorithm>
#include <array>

#include "passes/passes.h"

namespace octet {
namespace {

/// Gives `result`, the last node appended, the output of `id`, and puts all nodes appended since
/// the order had `count` entries in its place.
void replace_node(Graph& graph, NodeId id, size_t count) {
  const NodeId last = graph.order().back();
  graph.node(last).outputs = graph.node(id).outputs;
  graph.splice(id, count);
}

ValueId scalar(Graph& graph, const std::string& name, float value) {
  return graph.add_constant(name, Tensor::scalar(value));
}

/// Clip(alpha x + beta, 0, 1).
ValueId add_hard_sigmoid(Graph& graph, const std::string& name, ValueId x, float alpha,
                         float beta) {
  const ValueId scaled =
      graph.add_op("Mul", name + "/scaled", {x, scalar(graph, name + "/alpha", alpha)});
  const ValueId moved =
      graph.add_op("Add", name + "/moved", {scaled, scalar(graph, name + "/beta", beta)});
  return graph.add_op("Clip", name + "/gate",
                      {moved, scalar(graph, name + "/low", 0), scalar(graph, name + "/high", 1)});
}

bool lower_hard_sigmoid(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  const size_t count = graph.order().size();
  add_hard_sigmoid(graph, node.name, node.inputs[0], node.number("alpha", 0.2F),
                   node.number("beta", 0.5F));
  replace_node(graph, id, count);
  return true;
}

bool lower_hard_swish(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  const size_t count = graph.order().size();
  const ValueId gate = add_hard_sigmoid(graph, node.name, node.inputs[0], 1.0F / 6, 0.5F);
  graph.add_op("Mul", node.name + "/gated", {node.inputs[0], gate});
  replace_node(graph, id, count);
  return true;
}

/// Sub(x, c) = Add(x, -c); Div(x, c) = Mul(x, 1/c).
bool lower_by_inverse(Graph& graph, NodeId id, std::string_view op, float (*inverse)(float)) {
  const Node node = graph.node(id);
  const Tensor* constant = graph.constant_input(node, 1);
  if (!constant || constant->dtype != DType::Float32) return false;
  Tensor inverted = *constant;
  std::ranges::transform(inverted.as<float>(), inverted.as<float>().begin(), inverse);
  const size_t count = graph.order().size();
  const ValueId operand = graph.add_constant(node.name + "/inverse", std::move(inverted));
  graph.add_op(std::string(op), node.name, {node.inputs[0], operand});
  replace_node(graph, id, count);
  return true;
}

bool lower_sub(Graph& graph, NodeId id) {
  return lower_by_inverse(graph, id, "Add", [](float c) { return -c; });
}
bool lower_div(Graph& graph, NodeId id) {
  return lower_by_inverse(graph, id, "Mul", [](float c) { return 1 / c; });
}

struct Lowering {
  std::string_view op;
  bool (*run)(Graph&, NodeId);  ///< false: no other form of this node is known
};
constexpr std::array kLowerings{
    Lowering{"HardSigmoid", lower_hard_sigmoid},
    Lowering{"HardSwish", lower_hard_swish},
    Lowering{"Sub", lower_sub},
    Lowering{"Div", lower_div},
};

}  // namespace

size_t lower_operators(Graph& graph, const std::function<bool(std::string_view)>& supported) {
  size_t lowered = 0;
  for (const NodeId id : std::vector(graph.order())) {
    const std::string op = graph.node(id).op;
    const auto it = std::ranges::find(kLowerings, op, &Lowering::op);
    if (it != kLowerings.end() && !supported(op) && it->run(graph, id)) ++lowered;
  }
  return lowered;
}

}  // namespace octet
