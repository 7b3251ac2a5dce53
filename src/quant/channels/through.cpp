#include "quant/channels/through.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace octet {
namespace {

// Operators of one data input with op(s x) = s op(x), by what they do to the layout.
constexpr std::array<std::string_view, 5> kElementwise{"Relu", "LeakyRelu", "PRelu", "Identity",
                                                       "Dropout"};
constexpr std::array<std::string_view, 4> kReshapes{"Reshape", "Flatten", "Squeeze", "Unsqueeze"};
constexpr std::array<std::string_view, 5> kWindows{"MaxPool", "AveragePool", "GlobalAveragePool",
                                                   "GlobalMaxPool", "Resize"};
constexpr std::array<std::string_view, 2> kReductions{"ReduceMean", "ReduceMax"};

bool of_one_shape(const Graph& graph, ValueId a, ValueId b) {
  return graph.value(a).shape_known && graph.value(b).shape_known &&
         graph.value(a).shape == graph.value(b).shape;
}

/// Zeros come in, and nothing else happens.
bool pads_with_zero(const Graph& graph, const Node& node) {
  const Tensor* pads = graph.constant_input(node, 1);
  const Tensor* fill = graph.constant_input(node, 2);
  if (!pads || std::ranges::any_of(pads->as<int64_t>(), [](int64_t pad) { return pad < 0; })) {
    return false;
  }
  return node.text("mode", "constant") == "constant" &&
         (node.input(2) == kAbsent || (fill && fill->dtype == DType::Float32 && fill->size() == 1 &&
                                       fill->as<float>()[0] == 0));
}

std::vector<size_t> operands_of_sum(const Graph& graph, const Node& node) {
  std::vector<size_t> operands;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (graph.is_constant(node.inputs[i])) continue;
    if (!of_one_shape(graph, node.inputs[i], node.outputs[0])) return {};
    operands.push_back(i);
  }
  if (operands.size() < node.inputs.size() && (node.op != "Add" || operands.size() != 1)) return {};
  return operands;
}

/// The factor that is scaled is the one that is not broadcast; the other is no part of the region.
std::vector<size_t> operands_of_product(const Graph& graph, const Node& node) {
  std::vector<size_t> whole;
  for (size_t i = 0; i < 2; ++i) {
    const bool scaled =
        !graph.is_constant(node.inputs[i]) && of_one_shape(graph, node.inputs[i], node.outputs[0]);
    if (scaled && (node.op == "Mul" || i == 0)) whole.push_back(i);
  }
  return whole.size() == 1 ? whole : std::vector<size_t>{};
}

std::vector<int64_t> axes_of(const Graph& graph, const Node& node, size_t input) {
  const Tensor* axes = graph.constant_input(node, input);
  if (!axes || axes->dtype != DType::Int64) return {};
  const auto numbers = axes->as<int64_t>();
  return {numbers.begin(), numbers.end()};
}

size_t from_start(int64_t axis, size_t rank) {
  return static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(rank) : axis);
}

/// Channels as dimension `axis` of `from` are dimension `to_axis` of `to`.
std::optional<ChannelLayout> moved_axis(const Shape& from, const Shape& to,
                                        const ChannelLayout& layout, size_t axis, size_t to_axis) {
  if (channel_axis(from, layout) != axis || to_axis >= to.size()) return std::nullopt;
  const auto found = layout_of_axis(to, to_axis);
  if (!found || found->channels != layout.channels) return std::nullopt;
  return found;
}

/// The dimension of the output that dimension `axis` of the input becomes, where it stays whole.
std::optional<size_t> axis_after(const Graph& graph, const Node& node, size_t axis) {
  const size_t rank = graph.value(node.inputs[0]).shape.size();
  const size_t out_rank = graph.value(node.outputs[0]).shape.size();
  if (std::ranges::contains(kWindows, node.op))
    return axis == 1 ? std::optional(axis) : std::nullopt;
  if (node.op == "Transpose") {
    const auto perm = node.integers("perm");
    const auto it = std::ranges::find(perm, static_cast<int64_t>(axis));
    if (it == perm.end()) return std::nullopt;
    return static_cast<size_t>(it - perm.begin());
  }
  if (std::ranges::contains(kReductions, node.op)) {
    size_t before = 0;
    const auto axes = axes_of(graph, node, 1);
    if (axes.empty()) return std::nullopt;
    for (const int64_t reduced : axes) {
      if (from_start(reduced, rank) == axis) return std::nullopt;
      if (from_start(reduced, rank) < axis) ++before;
    }
    return out_rank == rank ? axis : axis - before;
  }
  if (node.op == "Slice") {
    for (const int64_t cut : axes_of(graph, node, 3)) {
      if (from_start(cut, rank) == axis) return std::nullopt;
    }
    return graph.constant_input(node, 3) ? std::optional(axis) : std::nullopt;
  }
  if (node.op == "Concat") {
    return from_start(node.integer("axis", 0), rank) == axis ? std::nullopt : std::optional(axis);
  }
  return axis;  // Pad, whose extents are compared
}

/// Elements stay where they are, in the order of rows.
bool keeps_layout(const Node& node, bool of_one_shape) {
  if (std::ranges::contains(kReshapes, node.op)) return true;
  return of_one_shape && node.op != "Transpose" && node.op != "Slice";
}

}  // namespace

std::optional<size_t> channel_axis(const Shape& shape, const ChannelLayout& layout) {
  for (size_t axis = 1; axis < shape.size(); ++axis) {
    if (layout_of_axis(shape, axis) == layout) return axis;
  }
  return std::nullopt;
}

std::optional<ChannelLayout> layout_of_axis(const Shape& shape, size_t axis) {
  ChannelLayout layout{.channels = shape[axis]};
  for (size_t d = axis + 1; d < shape.size(); ++d) {
    if (shape[d] < 0) return std::nullopt;
    layout.inner *= shape[d];
  }
  return layout;
}

std::vector<size_t> scaled_operands(const Graph& graph, const Node& node) {
  const auto is_in = [&](const auto& names) { return std::ranges::contains(names, node.op); };
  if (node.outputs.size() != 1 || node.inputs.empty()) return {};
  if (node.op == "PRelu" && !graph.is_constant(node.input(1))) return {};
  if (is_in(kElementwise) || is_in(kReshapes) || is_in(kWindows) || is_in(kReductions) ||
      node.op == "Transpose" || node.op == "Slice") {
    return {0};
  }
  if (node.op == "Pad" && pads_with_zero(graph, node)) return {0};
  if (node.op == "Add" || node.op == "Concat") return operands_of_sum(graph, node);
  if (node.op == "Mul" || node.op == "Div") return operands_of_product(graph, node);
  return {};
}

std::optional<size_t> shift_operand(const Graph& graph, const Node& node) {
  if (node.op != "Add") return std::nullopt;
  for (const size_t i : {size_t{0}, size_t{1}}) {
    if (graph.is_constant(node.inputs[i])) return i;
  }
  return std::nullopt;
}

std::optional<ChannelLayout> layout_after(const Graph& graph, const Node& node, size_t operand,
                                          const ChannelLayout& layout) {
  const Value& in = graph.value(node.inputs[operand]);
  const Value& out = graph.value(node.outputs[0]);
  if (!in.shape_known || !out.shape_known) return std::nullopt;
  if (keeps_layout(node, in.shape == out.shape)) return layout;
  const auto axis = channel_axis(in.shape, layout);
  if (!axis) return std::nullopt;
  const auto after = axis_after(graph, node, *axis);
  if (!after) return std::nullopt;
  return moved_axis(in.shape, out.shape, layout, *axis, *after);
}

std::optional<ChannelLayout> layout_before(const Graph& graph, const Node& node, size_t operand,
                                           const ChannelLayout& layout) {
  const Shape& shape = graph.value(node.inputs[operand]).shape;
  // Few dimensions: the one that leads to this layout.
  std::optional<ChannelLayout> found;
  if (keeps_layout(node, shape == graph.value(node.outputs[0]).shape)) return layout;
  for (size_t axis = 1; axis < shape.size(); ++axis) {
    const auto candidate = layout_of_axis(shape, axis);
    if (!candidate || layout_after(graph, node, operand, *candidate) != layout) continue;
    if (found && *found != *candidate) return std::nullopt;
    found = candidate;
  }
  return found;
}

}  // namespace octet
