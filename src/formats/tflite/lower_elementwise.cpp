#include <array>

#include "formats/tflite/lower.h"
#include "ops/op_def.h"

namespace octet::lite {
namespace {

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

/// A product with a positive number whose output has the input's integers: 127 x (number / 127).
void scale_by(Lowering& to, const Node& node, size_t data, double factor) {
  const Order order = to.order(node);
  const int input = to.input(node, data, order);
  const QuantParams params{
      .scale = {static_cast<float>(factor / 127)}, .zero_point = {0}, .origin = Origin::Derived};
  const int8_t integer = 127;
  const int number = to.constant(to.graph().value(node.inputs[1 - data]).name,
                                 Tensor::of<int8_t>({1}, std::span(&integer, 1)), params);
  tflite::MulOptionsT options;
  options.fused_activation_function = to.activation(node);
  to.emit(tflite::BuiltinOperator_MUL, 2, options_of(options), {input, number},
          {to.output(node, order)});
}

void lower_mul(Lowering& to, const Node& node) {
  const size_t data = to.graph().is_constant(node.inputs[0]) ? 1 : 0;
  const auto factor = std::get<Rescale>(op_of(node).quant.value).factor(to.graph(), node);
  if (factor > 0 && !to.find_grid(node.inputs[1 - data])) {
    return scale_by(to, node, data, factor);
  }
  binary<tflite::MulOptionsT>(to, node, tflite::BuiltinOperator_MUL);
}

constexpr std::array kRows{
    Row{"Add", any, lower_add},
    Row{"Sub", any, lower_sub},
    Row{"Mul", any, lower_mul},
};

}  // namespace

std::span<const Row> elementwise_rows() { return kRows; }

}  // namespace octet::lite
