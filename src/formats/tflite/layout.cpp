#include "formats/tflite/layout.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/fail.h"

namespace octet::lite {

Shape permuted(std::span<const int64_t> shape, std::span<const int64_t> permutation) {
  Shape out;
  for (const int64_t from : permutation) out.push_back(shape[static_cast<size_t>(from)]);
  return out;
}

Tensor permuted(const Tensor& tensor, std::span<const int64_t> permutation) {
  Tensor out(tensor.dtype, permuted(tensor.shape, permutation));
  const size_t rank = permutation.size();
  const size_t width = size_of(tensor.dtype);
  std::vector<int64_t> strides(rank, 1);  // of the input
  for (size_t d = rank; d-- > 1;) strides[d - 1] = strides[d] * tensor.shape[d];
  const Shape steps = permuted(strides, permutation);
  std::vector<int64_t> index(rank, 0);
  for (size_t to = 0; to < out.bytes.size(); to += width) {
    const int64_t from = std::inner_product(index.begin(), index.end(), steps.begin(), int64_t{0});
    std::memcpy(&out.bytes[to], &tensor.bytes[static_cast<size_t>(from) * width], width);
    for (size_t d = rank; d-- > 0;) {
      if (++index[d] < out.shape[d]) break;
      index[d] = 0;
    }
  }
  return out;
}

int64_t axis_in(Order order, int64_t axis, size_t rank) {
  if (axis < 0) axis += static_cast<int64_t>(rank);
  if (order == Order::Onnx || rank != 4) return axis;
  return std::ranges::find(kToChannelsLast, axis) - kToChannelsLast.begin();
}

namespace {

/// The shape of a node's output where the graph leaves dimensions open to the batch. A reshape may
/// have folded other dimensions into the batch; others keep what their first input has.
Shape resolve(const Graph& graph, const Node& node, ValueId out, const std::vector<Shape>& done) {
  Shape shape = graph.value(out).shape;
  const bool alone = node.inputs.empty() || graph.is_constant(node.inputs[0]);
  const Shape in = alone ? Shape{} : done[static_cast<size_t>(node.inputs[0])];
  int64_t rest = 1;
  for (const int64_t dim : shape) rest *= dim < 0 ? 1 : dim;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] >= 0) continue;
    shape[d] = 1;
    if (alone || rest == 0) continue;
    if (node.op == "Reshape" || node.op == "Flatten") {
      shape[d] = std::max<int64_t>(element_count(in) / rest, 1);
    } else if (node.op == "Transpose") {
      const auto perm = node.integers("perm");
      shape[d] = in[perm.empty() ? in.size() - 1 - d : static_cast<size_t>(perm[d])];
    } else if (in.size() == shape.size()) {
      shape[d] = in[d];
    }
  }
  return shape;
}

}  // namespace

std::vector<Shape> shapes_for_one(const Graph& graph) {
  std::vector<Shape> shapes(graph.value_count());
  for (size_t i = 0; i < shapes.size(); ++i) {
    shapes[i] = graph.value(static_cast<ValueId>(i)).shape;
    for (int64_t& dim : shapes[i]) dim = dim < 0 ? 1 : dim;
  }
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    for (const ValueId out : node.outputs) {
      if (out == kAbsent) continue;
      if (!graph.value(out).shape_known) {
        fail(Code::Unsupported, "tflite: {}: the shape of its output is not known", describe(node));
      }
      shapes[static_cast<size_t>(out)] = resolve(graph, node, out, shapes);
    }
  }
  return shapes;
}

Layouts::Layouts(const Graph& graph, NeedFn need)
    : rank4_(graph.value_count()), parent_(graph.value_count()), image_(graph.value_count()) {
  std::ranges::iota(parent_, 0);
  for (size_t i = 0; i < rank4_.size(); ++i) {
    const Value& value = graph.value(static_cast<ValueId>(i));
    rank4_[i] = value.shape.size() == 4 && !value.constant;
  }
  for (const NodeId id : graph.order()) {
    if (need(graph, graph.node(id)) == Need::Any) join(graph, graph.node(id));
  }
  for (const ValueId id : graph.inputs()) mark(id);
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    if (need(graph, node) != Need::Image) continue;
    mark(node.inputs[0]);
    mark(node.outputs[0]);
  }
}

ValueId Layouts::root(ValueId id) const {
  while (parent_[static_cast<size_t>(id)] != id) id = parent_[static_cast<size_t>(id)];
  return id;
}

void Layouts::join(const Graph& graph, const Node& node) {
  const ValueId out = node.outputs[0];
  if (!rank4_[static_cast<size_t>(out)]) return;
  for (const ValueId in : node.inputs) {
    if (in == kAbsent || graph.is_constant(in) || !rank4_[static_cast<size_t>(in)]) continue;
    parent_[static_cast<size_t>(root(in))] = root(out);
  }
}

void Layouts::mark(ValueId id) { image_[static_cast<size_t>(root(id))] = true; }

Order Layouts::of(ValueId id) const {
  const bool last = rank4_[static_cast<size_t>(id)] && image_[static_cast<size_t>(root(id))];
  return last ? Order::ChannelsLast : Order::Onnx;
}

}  // namespace octet::lite
