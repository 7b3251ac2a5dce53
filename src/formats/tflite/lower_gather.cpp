#include <algorithm>
#include <array>

#include "formats/tflite/lower.h"

// What picks elements by their numbers.
namespace octet::lite {
namespace {

/// The order that the data is read in. The result has it too where it has the data's rank;
/// otherwise it is in the graph's order.
Order data_order(const Lowering& to, const Node& node, int64_t axis) {
  const size_t rank = to.shape(node.inputs[0]).size();
  const size_t indices = to.shape(node.inputs[1]).size();
  if (rank != 4 || indices > 1) return Order::Onnx;
  if (indices == 1) return to.order(node);
  return keeps_order(std::array{axis}) ? to.order_of(node.inputs[0]) : Order::Onnx;
}

void lower_gather(Lowering& to, const Node& node) {
  const Shape& shape = to.shape(node.inputs[0]);
  const int64_t axis = axis_in(Order::Onnx, node.integer("axis", 0), shape.size());
  const Order order = data_order(to, node, axis);
  const int data = to.input(node, 0, order);
  const int indices = to.indices(node, 1, shape[static_cast<size_t>(axis)]);
  const bool same_rank = to.shape(node.outputs[0]).size() == shape.size();
  to.emit_gather(data, indices, axis_in(order, axis, shape.size()),
                 to.output(node, same_rank ? order : Order::Onnx));
}

/// The numbers of the elements of a tensor that a node with constant indices puts out, in the order
/// of its output.
void gather_flat(Lowering& to, const Node& node, std::span<const int64_t> elements) {
  const int data = to.input(node, 0, Order::Onnx);
  const int64_t count = element_count(to.in_file(data));
  const int flat = to.inner(node.name + "/flat", {count}, to.grid(node, node.inputs[0]));
  to.emit_reshape(data, flat);
  const int out = to.output(node, Order::Onnx);
  to.emit_gather(flat, to.numbers(node.name + "/elements", elements, to.in_file(out)), 0, out);
}

int64_t from_front(int64_t index, int64_t extent) { return index < 0 ? index + extent : index; }

/// Elements from one index along each dimension to the next.
std::vector<int64_t> strides_of(const Shape& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * shape[d];
  return strides;
}

void lower_gather_elements(Lowering& to, const Node& node) {
  const Shape& shape = to.shape(node.inputs[0]);
  const Shape& out = to.shape(node.outputs[0]);
  const auto axis =
      static_cast<size_t>(axis_in(Order::Onnx, node.integer("axis", 0), shape.size()));
  const auto indices = parameter(to, node, 1);
  const auto strides = strides_of(shape);
  const auto places = strides_of(out);
  if (indices.size() != static_cast<size_t>(element_count(out))) {
    refuse(node, "it has {} indices for an output of {} elements; TFLite's file is for one image",
           indices.size(), element_count(out));
  }
  std::vector<int64_t> elements;
  for (size_t i = 0; i < indices.size(); ++i) {
    int64_t element = 0;
    for (size_t d = 0; d < shape.size(); ++d) {
      const int64_t place = static_cast<int64_t>(i) / places[d] % out[d];
      element += strides[d] * (d == axis ? from_front(indices[i], shape[d]) : place);
    }
    elements.push_back(element);
  }
  gather_flat(to, node, elements);
}

void lower_gather_nd(Lowering& to, const Node& node) {
  const Shape& shape = to.shape(node.inputs[0]);
  const auto indices = parameter(to, node, 1);
  const auto depth = static_cast<size_t>(to.shape(node.inputs[1]).back());
  if (node.integer("batch_dims", 0) != 0) refuse(node, "batch_dims cannot be written");
  const auto strides = strides_of(shape);
  const int64_t rest = element_count(std::span(shape).subspan(depth));
  std::vector<int64_t> elements;
  for (size_t i = 0; i < indices.size(); i += depth) {
    int64_t first = 0;
    for (size_t d = 0; d < depth; ++d) first += strides[d] * from_front(indices[i + d], shape[d]);
    for (int64_t k = 0; k < rest; ++k) elements.push_back(first + k);
  }
  gather_flat(to, node, elements);
}

constexpr std::array kGatherRows{
    Row{"Gather", any, lower_gather},
    Row{"GatherElements", onnx, lower_gather_elements},
    Row{"GatherND", onnx, lower_gather_nd},
};

}  // namespace

std::span<const Row> gather_rows() { return kGatherRows; }

}  // namespace octet::lite
