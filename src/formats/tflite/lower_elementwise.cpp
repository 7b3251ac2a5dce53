#include <array>

#include "formats/tflite/lower.h"
#include "ops/op_def.h"

namespace octet::lite {
namespace {

/// Of two shapes of one rank.
Shape broadcast_shape(const Shape& a, const Shape& b) {
  Shape out;
  for (size_t d = 0; d < a.size(); ++d) out.push_back(a[d] == 1 ? b[d] : a[d]);
  return out;
}

template <class Options>
void binary(Lowering& to, const Node& node, tflite::BuiltinOperator code) {
  const Order order = to.order(node);
  const size_t rank = to.shape(node.outputs[0]).size();
  const int left = to.input(node, 0, order, rank);
  const int right = to.input(node, 1, order, rank);
  Options options;
  options.fused_activation_function = to.activation(node);
  to.emit(code, 2, options_of(options), {left, right}, {to.output(node, order)});
}

void lower_add(Lowering& to, const Node& node) {
  binary<tflite::AddOptionsT>(to, node, tflite::BuiltinOperator_ADD);
}

void lower_sub(Lowering& to, const Node& node) {
  binary<tflite::SubOptionsT>(to, node, tflite::BuiltinOperator_SUB);
}

/// A product with a positive number whose output has the input's integers: 127 x (number / 127),
/// in 16 bits with 32767.
void scale_by(Lowering& to, const Node& node, size_t data, double factor) {
  const Order order = to.order(node);
  const int input = to.input(node, data, order);
  const DType type = to.grid(node, node.inputs[data]).type;
  const auto most = static_cast<int32_t>(highest(type));
  const QuantParams params{.type = type,
                           .low = -most,
                           .high = most,
                           .scale = {static_cast<float>(factor / most)},
                           .zero_point = {0},
                           .origin = Origin::Derived};
  const int number =
      to.constant(node.name + "/factor", integers_of(type, {1}, std::span(&most, 1)), params);
  tflite::MulOptionsT options;
  options.fused_activation_function = to.activation(node);
  to.emit(tflite::BuiltinOperator_MUL, 2, options_of(options), {input, number},
          {to.output(node, order)});
}

void lower_mul(Lowering& to, const Node& node) {
  const size_t data = to.graph().is_constant(node.inputs[0]) ? 1 : 0;
  const auto factor = std::get<Rescale>(op_of(node).quant.value).factor(to.graph(), node);
  if (factor > 0 && !to.real(node) && !to.find_grid(node.inputs[1 - data])) {
    return scale_by(to, node, data, factor);
  }
  binary<tflite::MulOptionsT>(to, node, tflite::BuiltinOperator_MUL);
}

/// MAXIMUM and MINIMUM know neither a scale nor more than two operands: all are on one grid.
void demand_one_grid(Lowering& to, const Node& node) {
  const QuantParams& out = to.grid(node, node.outputs[0]);
  for (const ValueId id : node.inputs) {
    if (to.graph().value(id).dtype != DType::Float32) continue;
    if (same_grid(to.grid(node, id), out)) continue;
    refuse(node, "its input '{}' and its output have different scales", to.graph().value(id).name);
  }
}

void extreme(Lowering& to, const Node& node, tflite::BuiltinOperator code) {
  demand_one_grid(to, node);
  const Order order = to.order(node);
  const size_t rank = to.shape(node.outputs[0]).size();
  int held = to.input(node, 0, order, rank);
  if (node.inputs.size() == 1) return to.emit_reshape(held, to.output(node, order));
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    const int next = to.input(node, i, order, rank);
    const bool last = i + 1 == node.inputs.size();
    const Shape shape = broadcast_shape(to.in_file(held), to.in_file(next));
    const int out = last ? to.output(node, order)
                         : to.inner(node.name + "/so far", shape, to.grid(node, node.outputs[0]));
    to.emit(code, 2, options_of(tflite::MaximumMinimumOptionsT{}), {held, next}, {out});
    held = out;
  }
}

void lower_max(Lowering& to, const Node& node) {
  extreme(to, node, tflite::BuiltinOperator_MAXIMUM);
}
void lower_min(Lowering& to, const Node& node) {
  extreme(to, node, tflite::BuiltinOperator_MINIMUM);
}

void lower_where(Lowering& to, const Node& node) {
  demand_one_grid(to, node);
  const Order order = to.order(node);
  const size_t rank = to.shape(node.outputs[0]).size();
  const int condition = to.condition(node, 0, order, rank);
  const int yes = to.input(node, 1, order, rank);
  const int no = to.input(node, 2, order, rank);
  to.emit(tflite::BuiltinOperator_SELECT_V2, 1, options_of(tflite::SelectV2OptionsT{}),
          {condition, yes, no}, {to.output(node, order)});
}

void lower_prelu(Lowering& to, const Node& node) {
  const Order order = to.order(node);
  const int input = to.input(node, 0, order);
  const int slope = to.input(node, 1, order, to.shape(node.inputs[0]).size());
  to.emit(tflite::BuiltinOperator_PRELU, 1, {}, {input, slope}, {to.output(node, order)});
}

constexpr std::array kElementwiseRows{
    Row{"Add", any, lower_add},     Row{"Sub", any, lower_sub}, Row{"Mul", any, lower_mul},
    Row{"Max", any, lower_max},     Row{"Min", any, lower_min}, Row{"Where", any, lower_where},
    Row{"PRelu", any, lower_prelu},
};

}  // namespace

std::span<const Row> elementwise_rows() { return kElementwiseRows; }

}  // namespace octet::lite
