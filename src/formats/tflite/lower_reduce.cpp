#include <algorithm>
#include <array>
#include <numeric>

#include "formats/tflite/lower.h"

namespace octet::lite {
namespace {

/// The axes in the graph's order, ascending. `rank` is the input's.
std::vector<int64_t> reduced_axes(const Graph& graph, const Node& node, size_t rank) {
  std::vector<int64_t> axes;
  if (node.input(1) != kAbsent) {
    const Tensor* given = graph.constant_input(node, 1);
    if (!given) refuse(node, "its axes are computed by the network");
    for (const int64_t axis : given->as<int64_t>())
      axes.push_back(axis_in(Order::Onnx, axis, rank));
  }
  if (axes.empty()) {
    if (node.integer("noop_with_empty_axes", 0) != 0) refuse(node, "it has no axes");
    axes.resize(rank);
    std::ranges::iota(axes, 0);
  }
  std::ranges::sort(axes);
  return axes;
}

Need reduce_need(const Graph& graph, const Node& node) {
  const size_t rank = graph.value(node.inputs[0]).shape.size();
  if (rank != 4 || node.integer("keepdims", 1) != 0) return Need::Any;
  // The output has another rank: nothing is tied, and the input may lie as it does.
  return keeps_order(reduced_axes(graph, node, rank)) ? Need::Any : Need::Onnx;
}

template <tflite::BuiltinOperator kCode>
void lower_reduce(Lowering& to, const Node& node) {
  const size_t rank = to.shape(node.inputs[0]).size();
  const bool keep = node.integer("keepdims", 1) != 0;
  const bool onnx_order = reduce_need(to.graph(), node) == Need::Onnx;
  const Order order = onnx_order || rank != 4 ? Order::Onnx
                      : keep                  ? to.order(node)
                                              : to.order_of(node.inputs[0]);
  std::vector<int64_t> axes = reduced_axes(to.graph(), node, rank);
  for (int64_t& axis : axes) axis = axis_in(order, axis, rank);
  std::ranges::sort(axes);
  const int input = to.input(node, 0, order);
  const int numbers = to.numbers(node.name + "/axes", axes);
  tflite::ReducerOptionsT options;
  options.keep_dims = keep;
  to.activation(node, false);
  to.emit(kCode, 2, options_of(options), {input, numbers}, {to.output(node, order)});
}

constexpr std::array kReduceRows{
    Row{"ReduceMean", reduce_need, lower_reduce<tflite::BuiltinOperator_MEAN>},
    Row{"ReduceSum", reduce_need, lower_reduce<tflite::BuiltinOperator_SUM>},
    Row{"ReduceMax", reduce_need, lower_reduce<tflite::BuiltinOperator_REDUCE_MAX>},
    Row{"ReduceMin", reduce_need, lower_reduce<tflite::BuiltinOperator_REDUCE_MIN>},
};

}  // namespace

std::span<const Row> reduce_rows() { return kReduceRows; }

}  // namespace octet::lite
