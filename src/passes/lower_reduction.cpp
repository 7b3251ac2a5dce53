#include <algorithm>
#include <array>
#include <numeric>

#include "passes/parts.h"

namespace octet {

ValueId sum_last(Parts& parts, std::string_view part, ValueId x, int64_t count, float factor) {
  Tensor column(DType::Float32, {count, 1});
  std::ranges::fill(column.as<float>(), factor);
  const std::string ones = std::string(part) + " weights";
  return parts.op("MatMul", part, {x, parts.constant(ones, std::move(column))});
}

ValueId sum_squares_last(Parts& parts, std::string_view part, ValueId x) {
  const std::string name(part);
  const ValueId row = parts.op("Unsqueeze", name + " row", {x, parts.list(name + " axis", {-2})});
  const ValueId column =
      parts.op("Unsqueeze", name + " column", {x, parts.list(name + " last axis", {-1})});
  const ValueId sum = parts.op("MatMul", name + " product", {row, column});
  return parts.op("Squeeze", part, {sum, parts.list(name + " taken axis", {-1})});
}

namespace {

struct Reduction {
  std::vector<int64_t> kept;
  std::vector<int64_t> axes;
  int64_t count = 1;  ///< numbers that become one
};

/// nullopt where the axes are computed, or the reduced extent depends on the batch.
std::optional<Reduction> reduction_of(const Graph& graph, const Node& node) {
  const Value& in = graph.value(node.inputs[0]);
  if (!in.shape_known) return std::nullopt;
  const auto rank = static_cast<int64_t>(in.shape.size());
  std::vector<int64_t> axes;
  if (node.input(1) != kAbsent) {
    const Tensor* given = graph.constant_input(node, 1);
    if (!given) return std::nullopt;
    for (const int64_t axis : given->as<int64_t>()) axes.push_back(axis < 0 ? axis + rank : axis);
  }
  if (axes.empty()) {
    if (node.integer("noop_with_empty_axes", 0) != 0) return std::nullopt;
    axes.resize(static_cast<size_t>(rank));
    std::ranges::iota(axes, 0);
  }
  Reduction found;
  for (int64_t d = 0; d < rank; ++d) {
    const bool reduced = std::ranges::contains(axes, d);
    (reduced ? found.axes : found.kept).push_back(d);
    if (!reduced) continue;
    if (in.shape[static_cast<size_t>(d)] < 0) return std::nullopt;
    found.count *= in.shape[static_cast<size_t>(d)];
  }
  return found;
}

/// The shape of the node's output; its open batch as -1.
std::vector<int64_t> output_shape(const Graph& graph, const Node& node) {
  const Shape& shape = graph.value(node.outputs[0]).shape;
  return {shape.begin(), shape.end()};
}

/// The reduced dimensions as one, at the end.
ValueId gather_last(const Graph& graph, Parts& parts, const Node& node, const Reduction& what) {
  const Shape& in = graph.value(node.inputs[0]).shape;
  ValueId x = node.inputs[0];
  std::vector<int64_t> order = what.kept;
  order.insert(order.end(), what.axes.begin(), what.axes.end());
  std::vector<int64_t> target;
  for (const int64_t d : what.kept) target.push_back(in[static_cast<size_t>(d)]);
  target.push_back(what.count);
  if (!std::ranges::is_sorted(order)) x = parts.op("Transpose", "turned", {x}, {{"perm", order}});
  if (what.axes.size() == 1) return x;
  return parts.op("Reshape", "rows", {x, parts.list("rows shape", target)});
}

template <class Make>
bool lower_with(Graph& graph, NodeId id, Make make) {
  const Node node = graph.node(id);
  const auto what = reduction_of(graph, node);
  if (!what || !graph.value(node.outputs[0]).shape_known) return false;
  const std::vector<int64_t> shape = output_shape(graph, node);
  Parts parts(graph, id);
  const ValueId reduced = make(parts, gather_last(graph, parts, node, *what), what->count);
  parts.op("Reshape", "result", {reduced, parts.list("result shape", shape)});
  parts.finish();
  return true;
}

bool lower_reduce_mean(Graph& graph, NodeId id) {
  return lower_with(graph, id, [](Parts& parts, ValueId x, int64_t count) {
    return sum_last(parts, "mean", x, count, 1 / static_cast<float>(count));
  });
}
bool lower_reduce_sum(Graph& graph, NodeId id) {
  return lower_with(graph, id, [](Parts& parts, ValueId x, int64_t count) {
    return sum_last(parts, "sum", x, count, 1);
  });
}
bool lower_sum_square(Graph& graph, NodeId id) {
  return lower_with(graph, id, [](Parts& parts, ValueId x, int64_t) {
    return sum_squares_last(parts, "squares", x);
  });
}
bool lower_l2(Graph& graph, NodeId id) {
  return lower_with(graph, id, [](Parts& parts, ValueId x, int64_t) {
    return parts.op("Sqrt", "root", {sum_squares_last(parts, "squares", x)});
  });
}
bool lower_l1(Graph& graph, NodeId id) {
  return lower_with(graph, id, [](Parts& parts, ValueId x, int64_t count) {
    return sum_last(parts, "sum", parts.op("Abs", "size", {x}), count, 1);
  });
}
bool lower_log_sum(Graph& graph, NodeId id) {
  return lower_with(graph, id, [](Parts& parts, ValueId x, int64_t count) {
    return parts.op("Log", "log", {sum_last(parts, "sum", x, count, 1)});
  });
}
/// The largest number is taken away before the powers, so that these are in [0, 1].
bool lower_log_sum_exp(Graph& graph, NodeId id) {
  return lower_with(graph, id, [](Parts& parts, ValueId x, int64_t count) {
    const ValueId most = parts.op("ReduceMax", "most", {x, parts.list("last", {-1})});
    const ValueId less = parts.op("Mul", "negative most", {most, parts.number("minus one", -1)});
    const ValueId powers = parts.op("Exp", "powers", {parts.op("Add", "below", {x, less})});
    const ValueId log = parts.op("Log", "log", {sum_last(parts, "sum", powers, count, 1)});
    return parts.op("Add", "moved back", {log, most});
  });
}

constexpr std::array kReductionLowerings{
    OperatorLowering{"ReduceMean", lower_reduce_mean},
    OperatorLowering{"ReduceSum", lower_reduce_sum},
    OperatorLowering{"ReduceSumSquare", lower_sum_square},
    OperatorLowering{"ReduceL2", lower_l2},
    OperatorLowering{"ReduceL1", lower_l1},
    OperatorLowering{"ReduceLogSum", lower_log_sum},
    OperatorLowering{"ReduceLogSumExp", lower_log_sum_exp},
};

}  // namespace

std::span<const OperatorLowering> reduction_lowerings() { return kReductionLowerings; }

}  // namespace octet
