#include "formats/tflite/layout.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/fail.h"
#include "ops/op_def.h"

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

bool keeps_order(std::span<const int64_t> axes) {
  std::vector<int64_t> left;
  for (const int64_t d : kToChannelsLast) {
    if (!std::ranges::contains(axes, d)) left.push_back(d);
  }
  return std::ranges::is_sorted(left);
}

namespace {

/// Dimension `d` of a node's output of `rank` dimensions, which the graph leaves open, as that of
/// the input which lies at its place when both are aligned at the end.
int64_t aligned(const Shape& in, size_t d, size_t rank) {
  return d + in.size() >= rank ? in[d + in.size() - rank] : 1;
}

/// Where dimension `d` of the output stands in the first input of a node that leaves out
/// dimensions, or puts those of indices in the place of one. -1: nowhere.
int64_t source_dim(const Graph& graph, const Node& node, int64_t d, int64_t rank) {
  if (node.op == "Gather") {
    const int64_t axis = axis_in(Order::Onnx, node.integer("axis", 0), static_cast<size_t>(rank));
    const auto inserted = static_cast<int64_t>(graph.value(node.inputs[1]).shape.size());
    if (d < axis) return d;
    return d < axis + inserted ? -1 : d - inserted + 1;
  }
  const Tensor* given = graph.constant_input(node, 1);
  if (node.integer("keepdims", 1) != 0 || !given) return d;
  std::vector<int64_t> axes;
  for (const int64_t axis : given->as<int64_t>()) axes.push_back(axis < 0 ? axis + rank : axis);
  std::ranges::sort(axes);
  for (const int64_t axis : axes) d += axis <= d ? 1 : 0;
  return d;
}

/// A dimension that the graph leaves open to the batch. A reshape may have folded others into it;
/// other operators keep what their inputs have.
int64_t open_dim(const Graph& graph, const Node& node, size_t d, const Shape& out,
                 const std::vector<Shape>& done) {
  const auto shape_of = [&](size_t i) {
    return node.inputs[i] == kAbsent ? Shape{} : done[static_cast<size_t>(node.inputs[i])];
  };
  if (node.inputs.empty()) return 1;
  const Shape in = shape_of(0);
  if (node.op == "Reshape" || node.op == "Flatten" || node.op == "Squeeze" ||
      node.op == "Unsqueeze") {
    int64_t rest = 1;
    for (const int64_t dim : out) rest *= dim < 0 ? 1 : dim;
    return rest == 0 ? 1 : std::max<int64_t>(element_count(in) / rest, 1);
  }
  if (node.op == "Transpose") {
    const auto perm = node.integers("perm");
    return in[perm.empty() ? in.size() - 1 - d : static_cast<size_t>(perm[d])];
  }
  if (node.op == "Gather" || node.op.starts_with("Reduce")) {
    const auto rank = static_cast<int64_t>(in.size());
    const int64_t from = source_dim(graph, node, static_cast<int64_t>(d), rank);
    return from < 0 || from >= rank ? 1 : in[static_cast<size_t>(from)];
  }
  const auto* rescale = std::get_if<Rescale>(&op_of(node).quant.value);
  const bool broadcasts = node.op == "Where" || (rescale && rescale->elementwise);
  int64_t dim = aligned(in, d, out.size());
  for (size_t i = 1; broadcasts && i < node.inputs.size(); ++i) {
    dim = std::max(dim, aligned(shape_of(i), d, out.size()));
  }
  return dim;
}

/// The shape of a node's output for one image.
Shape resolve(const Graph& graph, const Node& node, ValueId out, const std::vector<Shape>& done) {
  const Shape& open = graph.value(out).shape;
  Shape shape = open;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] < 0) shape[d] = open_dim(graph, node, d, open, done);
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

Layouts::Layouts(const Graph& graph, const NeedFn& need)
    : rank4_(graph.value_count()), parent_(graph.value_count()), image_(graph.value_count()) {
  std::ranges::iota(parent_, 0);
  for (size_t i = 0; i < rank4_.size(); ++i) {
    const Value& value = graph.value(static_cast<ValueId>(i));
    rank4_[i] = value.shape.size() == 4 && !value.constant && value.dtype == DType::Float32;
  }
  for (const NodeId id : graph.order()) {
    if (need(id) == Need::Any) join(graph, graph.node(id));
  }
  for (const ValueId id : graph.inputs()) mark(id);
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    if (need(id) != Need::Image) continue;
    mark(node.inputs[0]);
    mark(node.outputs[0]);
  }
  last_.resize(rank4_.size());
  for (size_t i = 0; i < last_.size(); ++i) {
    last_[i] = rank4_[i] && image_[static_cast<size_t>(root(static_cast<ValueId>(i)))];
  }
}

ValueId Layouts::root(ValueId id) {
  ValueId& parent = parent_[static_cast<size_t>(id)];
  return parent == id ? id : parent = root(parent);
}

void Layouts::join(const Graph& graph, const Node& node) {
  ValueId first = kAbsent;
  const auto tie = [&](ValueId id) {
    if (id == kAbsent || graph.is_constant(id) || !rank4_[static_cast<size_t>(id)]) return;
    if (first == kAbsent) first = id;
    parent_[static_cast<size_t>(root(id))] = root(first);
  };
  // A result of another rank is no image of the inputs: they may lie as they do.
  if (!rank4_[static_cast<size_t>(node.outputs[0])]) return;
  for (const ValueId out : node.outputs) tie(out);
  for (const ValueId in : node.inputs) tie(in);
}

void Layouts::mark(ValueId id) { image_[static_cast<size_t>(root(id))] = true; }

Order Layouts::of(ValueId id) const {
  return last_[static_cast<size_t>(id)] ? Order::ChannelsLast : Order::Onnx;
}

}  // namespace octet::lite
