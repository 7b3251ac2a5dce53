#include <algorithm>
#include <array>
#include <optional>

#include "passes/broadcast.h"
#include "passes/links.h"
#include "passes/passes.h"

namespace octet {
namespace {

/// Operators that broadcast all their operands to one shape (ONNX's multidirectional broadcasting).
bool broadcasts(std::string_view op) {
  static constexpr std::array<std::string_view, 16> kOps{
      "Add", "And", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max",
      "Min", "Mul", "Or",  "Pow",   "Sub",     "Where",          "Xor"};
  return std::ranges::contains(kOps, op);
}

/// Tile is a broadcast where it repeats dimensions of one only; Expand always is.
bool is_broadcast(const Graph& graph, const Node& node) {
  if (node.op == "Expand") return true;
  const Tensor* repeats = graph.constant_input(node, 1);
  const Value& from = graph.value(node.inputs[0]);
  if (node.op != "Tile" || !repeats || !from.shape_known) return false;
  const auto times = repeats->as<int64_t>();
  for (size_t d = 0; d < from.shape.size() && d < times.size(); ++d) {
    if (times[d] != 1 && from.shape[d] != 1) return false;
  }
  return true;
}

/// The shape of the node's output if operand `index` were `instead`.
std::optional<Shape> shape_with(const Graph& graph, const Node& node, size_t index,
                                ValueId instead) {
  std::optional<Shape> shape = Shape{};
  for (size_t i = 0; i < node.inputs.size() && shape; ++i) {
    const Value& operand = graph.value(i == index ? instead : node.inputs[i]);
    if (!operand.shape_known) return std::nullopt;
    shape = broadcast_shape(*shape, operand.shape);
  }
  return shape;
}

}  // namespace

size_t remove_broadcasts(Graph& graph) {
  Links links(graph);
  size_t removed = 0;
  for (const NodeId id : std::vector(graph.order())) {
    if (!links.alive(id) || !broadcasts(graph.node(id).op)) continue;
    for (size_t i = 0; i < graph.node(id).inputs.size(); ++i) {
      const Node& node = graph.node(id);
      const NodeId maker = links.producer(node.inputs[i]);
      if (maker == kNoNode || !is_broadcast(graph, graph.node(maker))) continue;
      const ValueId before = graph.node(maker).inputs[0];
      const Value& result = graph.value(node.outputs[0]);
      const auto shape = shape_with(graph, node, i, before);
      if (!result.shape_known || !shape || *shape != result.shape) continue;
      links.drop(id);
      graph.node(id).inputs[i] = before;
      links.add(id);
      links.remove_unread(graph, maker);
      ++removed;
    }
  }
  return removed;
}

}  // namespace octet
