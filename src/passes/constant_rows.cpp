#include "passes/constant_rows.h"

#include <algorithm>

namespace octet {
namespace {

/// [rows, width] of a value; nullopt for other values.
std::optional<std::pair<int64_t, int64_t>> extents(const Graph& graph, ValueId id) {
  const Value& value = graph.value(id);
  if (!value.shape_known || value.dtype != DType::Float32 || value.shape.size() != 3) {
    return std::nullopt;
  }
  if (value.shape[1] < 1 || value.shape[2] < 1) return std::nullopt;
  return std::pair{value.shape[1], value.shape[2]};
}

ConstantRows no_rows(const std::pair<int64_t, int64_t>& extents) {
  return {.values = Tensor(DType::Float32, {extents.first, extents.second})};
}

std::optional<ConstantRows> rows_of_pad(const Graph& graph, const Node& node) {
  const auto to = extents(graph, node.outputs[0]);
  const Tensor* pads = graph.constant_input(node, 1);
  const Tensor* fill = graph.constant_input(node, 2);
  const bool plain = node.text("mode", "constant") == "constant" && node.input(3) == kAbsent &&
                     (fill || node.input(2) == kAbsent);
  if (!to || !pads || pads->size() != 6 || !plain) return std::nullopt;
  const auto at = pads->as<int64_t>();
  if (at[0] != 0 || at[2] != 0 || at[3] != 0 || at[5] != 0 || at[1] < 0 || at[4] < 0) {
    return std::nullopt;
  }
  ConstantRows made = no_rows(*to);
  made.front = at[1];
  made.back = at[4];
  std::ranges::fill(made.values.as<float>(), fill ? fill->as<float>()[0] : 0.0F);
  return made;
}

/// [1, rows, width], for every image: a constant, perhaps spread over the batch.
const Tensor* same_for_all(const Graph& graph, ValueId id) {
  const Shape& shape = graph.value(id).shape;
  const auto producer = graph.producer(id);
  if (producer && graph.node(*producer).op == "Expand") id = graph.node(*producer).inputs[0];
  if (!graph.is_constant(id)) return nullptr;
  const Tensor& held = *graph.value(id).constant;
  const bool fits = held.dtype == DType::Float32 && held.shape.size() == 3 && held.shape[0] == 1 &&
                    shape.size() == 3 && shape[1] == held.shape[1];
  return fits ? &held : nullptr;
}

std::optional<ConstantRows> rows_of_concat(const Graph& graph, const Node& node) {
  const auto to = extents(graph, node.outputs[0]);
  const int64_t axis = node.integer("axis", 0);
  if (!to || (axis != 1 && axis != -2)) return std::nullopt;
  ConstantRows made = no_rows(*to);
  const auto out = made.values.as<float>();
  for (const ValueId in : node.inputs) {
    const Tensor* held = same_for_all(graph, in);
    if (!held || held->shape[2] != to->second) break;
    std::ranges::copy(held->as<float>(), out.begin() + made.front * to->second);
    made.front += held->shape[1];
  }
  if (made.front == to->first) return std::nullopt;
  for (auto in = node.inputs.rbegin(); in != node.inputs.rend(); ++in) {
    const Tensor* held = same_for_all(graph, *in);
    if (!held || held->shape[2] != to->second) break;
    made.back += held->shape[1];
    std::ranges::copy(held->as<float>(), out.end() - made.back * to->second);
  }
  return made;
}

std::optional<ConstantRows> rows_of_sum(const Graph& graph, const Node& node) {
  const size_t other = graph.is_constant(node.inputs[0]) ? 0 : 1;
  const Tensor* term = graph.constant_input(node, other);
  auto made = term ? constant_rows(graph, node.inputs[1 - other]) : std::nullopt;
  const auto to = extents(graph, node.outputs[0]);
  if (!made || !to || to->first != made->rows() || to->second != made->values.shape[1]) {
    return std::nullopt;
  }
  Shape shape = term->shape;
  while (shape.size() < 3) shape.insert(shape.begin(), 1);
  if (shape.size() != 3 || shape[0] != 1) return std::nullopt;
  const auto numbers = term->as<float>();
  const auto sums = made->values.as<float>();
  for (int64_t row = 0; row < to->first; ++row) {
    for (int64_t i = 0; i < to->second; ++i) {
      const int64_t from = (shape[1] == 1 ? 0 : row) * shape[2] + (shape[2] == 1 ? 0 : i);
      sums[static_cast<size_t>(row * to->second + i)] += numbers[static_cast<size_t>(from)];
    }
  }
  return made;
}

}  // namespace

std::optional<ConstantRows> constant_rows(const Graph& graph, ValueId id) {
  const auto producer = graph.producer(id);
  if (!producer) return std::nullopt;
  const Node& node = graph.node(*producer);
  std::optional<ConstantRows> found;
  if (node.op == "Pad") found = rows_of_pad(graph, node);
  if (node.op == "Concat") found = rows_of_concat(graph, node);
  if (node.op == "Add") found = rows_of_sum(graph, node);
  const bool some = found && found->front + found->back > 0;
  return some && found->front + found->back < found->rows() ? found : std::nullopt;
}

}  // namespace octet
