#include <algorithm>
#include <array>
#include <numeric>

#include "passes/parts.h"

namespace octet {
namespace {

/// Clip(alpha x + beta, 0, 1).
ValueId hard_sigmoid(Parts& parts, ValueId x, float alpha, float beta) {
  const ValueId scaled = parts.op("Mul", "scaled", {x, parts.number("alpha", alpha)});
  const ValueId moved = parts.op("Add", "moved", {scaled, parts.number("beta", beta)});
  return parts.op("Clip", "gate", {moved, parts.number("low", 0), parts.number("high", 1)});
}

bool lower_hard_sigmoid(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  Parts parts(graph, id);
  hard_sigmoid(parts, node.inputs[0], node.number("alpha", 0.2F), node.number("beta", 0.5F));
  parts.finish();
  return true;
}

bool lower_hard_swish(Graph& graph, NodeId id) {
  const ValueId x = graph.node(id).inputs[0];
  Parts parts(graph, id);
  parts.op("Mul", "gated", {x, hard_sigmoid(parts, x, 1.0F / 6, 0.5F)});
  parts.finish();
  return true;
}

bool is_real(const Graph& graph, const Node& node) {
  return graph.value(node.outputs[0]).dtype == DType::Float32;
}

/// The node with its second operand, a constant, turned by `inverse`: x - c = x + (-c).
bool by_inverse(Graph& graph, NodeId id, std::string_view op, float (*inverse)(float)) {
  const Node node = graph.node(id);
  const Tensor* constant = graph.constant_input(node, 1);
  if (!constant || constant->dtype != DType::Float32) return false;
  Tensor inverted = *constant;
  std::ranges::transform(inverted.as<float>(), inverted.as<float>().begin(), inverse);
  Parts parts(graph, id);
  parts.op(std::string(op), "inverse operation",
           {node.inputs[0], parts.constant("inverse", std::move(inverted))});
  parts.finish();
  return true;
}

bool is_number(const Graph& graph, ValueId id) {
  return graph.is_constant(id) && graph.value(id).constant->size() == 1;
}

/// x - y = x + (-1) y. A number minus y is left to be a table.
bool lower_sub(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  if (!is_real(graph, node) || is_number(graph, node.inputs[0])) return false;
  if (by_inverse(graph, id, "Add", [](float c) { return -c; })) return true;
  Parts parts(graph, id);
  const ValueId negative =
      parts.op("Mul", "negative", {node.inputs[1], parts.number("minus one", -1)});
  parts.op("Add", "difference", {node.inputs[0], negative});
  parts.finish();
  return true;
}

/// |y|^-1/2, anew for each reader: a table has one result. The pole is moved off the numbers, for
/// training would make NaN of it, in the sign's product and in the gradient.
ValueId inverse_root(Parts& parts, ValueId y) {
  const ValueId size = parts.op("Abs", "size", {y});
  const ValueId above = parts.op("Add", "above 0", {size, parts.number("least", 1e-30F)});
  const ValueId root = parts.op("Sqrt", "root", {above});
  return parts.op("Reciprocal", "inverse root", {root});
}

/// x / y = (x * |y|^-1/2) * (sign(y) |y|^-1/2), two tables: one of 1/y would have few steps left
/// where y is large (docs/division.md). A number divided by y is left to be a table as well.
bool lower_div(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  if (!is_real(graph, node) || is_number(graph, node.inputs[0])) return false;
  if (by_inverse(graph, id, "Mul", [](float c) { return 1 / c; })) return true;
  const ValueId y = node.inputs[1];
  Parts parts(graph, id);
  const ValueId half = parts.op("Mul", "half", {node.inputs[0], inverse_root(parts, y)});
  const ValueId sign = parts.op("Sign", "sign", {y});
  const ValueId rest = parts.op("Mul", "signed inverse root", {sign, inverse_root(parts, y)});
  parts.op("Mul", "quotient", {half, rest});
  parts.finish();
  return true;
}

/// x^2 = x * x. Other constant powers are left to be a table.
bool lower_pow(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  const Tensor* power = graph.constant_input(node, 1);
  const bool square =
      power && power->size() == 1 && power->dtype == DType::Float32 && power->as<float>()[0] == 2;
  if (!square) return false;
  Parts parts(graph, id);
  parts.op("Mul", "square", {node.inputs[0], node.inputs[0]});
  parts.finish();
  return true;
}

/// max(x, 0) - slope * max(-x, 0).
bool lower_prelu(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  const Tensor* slope = graph.constant_input(node, 1);
  if (!slope || slope->dtype != DType::Float32) return false;
  Tensor negative = *slope;
  for (float& number : negative.as<float>()) number = -number;
  Parts parts(graph, id);
  const ValueId mirrored =
      parts.op("Mul", "mirrored", {node.inputs[0], parts.number("minus one", -1)});
  const ValueId low = parts.op(
      "Mul", "low part",
      {parts.op("Relu", "low", {mirrored}), parts.parameter("slope", std::move(negative))});
  parts.op("Add", "parts", {parts.op("Relu", "high part", {node.inputs[0]}), low});
  parts.finish();
  return true;
}

/// Sum of any number of operands, two by two.
ValueId chain_of_adds(Parts& parts, const Node& node) {
  ValueId sum = node.inputs[0];
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    sum = parts.op("Add", std::format("sum {}", i), {sum, node.inputs[i]});
  }
  return sum;
}

bool lower_sum(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  if (!is_real(graph, node) || node.inputs.size() < 2) return false;
  Parts parts(graph, id);
  chain_of_adds(parts, node);
  parts.finish();
  return true;
}

bool lower_mean(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  if (!is_real(graph, node) || node.inputs.size() < 2) return false;
  Parts parts(graph, id);
  const ValueId sum = chain_of_adds(parts, node);
  parts.op("Mul", "mean", {sum, parts.number("1/n", 1 / static_cast<float>(node.inputs.size()))});
  parts.finish();
  return true;
}

/// Where with a constant condition that puts minus infinity, or nearly, into scores = Add of a
/// mask.
bool lower_where(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  const Tensor* condition = graph.constant_input(node, 0);
  for (const size_t fill : {size_t{1}, size_t{2}}) {
    const Tensor* number = graph.constant_input(node, fill);
    if (!condition || condition->dtype != DType::Bool || !number || number->size() != 1 ||
        number->dtype != DType::Float32)
      continue;
    if (number->as<float>()[0] > -1e4F) continue;
    Tensor mask(DType::Float32, condition->shape);
    for (size_t i = 0; i < condition->bytes.size(); ++i) {
      const bool chosen = condition->bytes[i] != std::byte{0};
      mask.as<float>()[i] = chosen == (fill == 1) ? kMasked : 0;
    }
    Parts parts(graph, id);
    parts.op("Add", "masked", {node.inputs[3 - fill], parts.constant("mask", std::move(mask))});
    parts.finish();
    return true;
  }
  return false;
}

constexpr std::array kArithmeticLowerings{
    OperatorLowering{"HardSigmoid", lower_hard_sigmoid},
    OperatorLowering{"HardSwish", lower_hard_swish},
    OperatorLowering{"Sub", lower_sub},
    OperatorLowering{"Div", lower_div},
    OperatorLowering{"Pow", lower_pow},
    OperatorLowering{"PRelu", lower_prelu},
    OperatorLowering{"Sum", lower_sum},
    OperatorLowering{"Mean", lower_mean},
    OperatorLowering{"Where", lower_where},
};

}  // namespace

std::span<const OperatorLowering> arithmetic_lowerings() { return kArithmeticLowerings; }

size_t bound_masks(Graph& graph) {
  size_t bounded = 0;
  for (const NodeId id : std::vector(graph.order())) {
    if (graph.node(id).op != "Softmax") continue;
    const auto producer = graph.producer(graph.node(id).inputs[0]);
    if (!producer || graph.node(*producer).op != "Add") continue;
    for (ValueId& operand : graph.node(*producer).inputs) {
      if (!graph.is_constant(operand)) continue;
      Tensor mask = *graph.value(operand).constant;
      if (mask.dtype != DType::Float32 || std::ranges::min(mask.as<float>()) >= kMasked) continue;
      for (float& number : mask.as<float>()) number = std::max(number, kMasked);
      operand = graph.add_constant(graph.value(operand).name + "/bounded", std::move(mask));
      graph.value(operand).fixed = true;
      ++bounded;
    }
  }
  return bounded;
}

size_t move_softmax_last(Graph& graph) {
  size_t moved = 0;
  for (const NodeId id : std::vector(graph.order())) {
    const Node node = graph.node(id);
    if (node.op != "Softmax") continue;  // others may leave their first output out
    const auto rank = static_cast<int64_t>(graph.value(node.outputs[0]).shape.size());
    if (rank == 0) continue;
    const int64_t axis = (node.integer("axis", -1) + rank) % rank;
    if (axis == rank - 1) continue;
    std::vector<int64_t> swap(static_cast<size_t>(rank));
    std::ranges::iota(swap, 0);
    std::swap(swap[static_cast<size_t>(axis)], swap.back());
    Parts parts(graph, id);
    const ValueId turned = parts.op("Transpose", "turned", {node.inputs[0]}, {{"perm", swap}});
    const ValueId result = parts.op("Softmax", "last", {turned}, {{"axis", int64_t{-1}}});
    parts.op("Transpose", "turned back", {result}, {{"perm", swap}});
    parts.finish();
    ++moved;
  }
  return moved;
}

}  // namespace octet
