#include <array>

#include "formats/tflite/lower.h"

// Operators that TFLite computes in float alone.
namespace octet::lite {
namespace {

template <tflite::BuiltinOperator kCode>
void unary(Lowering& to, const Node& node) {
  const Order order = to.order(node);
  const int input = to.input(node, 0, order);
  to.emit(kCode, 1, {}, {input}, {to.output(node, order)});
}

void lower_div(Lowering& to, const Node& node) {
  const Order order = to.order(node);
  const size_t rank = to.shape(node.outputs[0]).size();
  const int left = to.input(node, 0, order, rank);
  const int right = to.input(node, 1, order, rank);
  to.emit(tflite::BuiltinOperator_DIV, 1, options_of(tflite::DivOptionsT{}), {left, right},
          {to.output(node, order)});
}

void lower_reciprocal(Lowering& to, const Node& node) {
  const Order order = to.order(node);
  const int input = to.input(node, 0, order);
  const int one = to.real_number(node.name + "/one", 1);
  to.emit(tflite::BuiltinOperator_DIV, 1, options_of(tflite::DivOptionsT{}), {one, input},
          {to.output(node, order)});
}

constexpr std::array kFloatRows{
    Row{"Sqrt", any, unary<tflite::BuiltinOperator_SQRT>},
    Row{"Log", any, unary<tflite::BuiltinOperator_LOG>},
    Row{"Neg", any, unary<tflite::BuiltinOperator_NEG>},
    Row{"Sign", any, unary<tflite::BuiltinOperator_SIGN>},
    Row{"Reciprocal", any, lower_reciprocal},
    Row{"Div", any, lower_div},
};

}  // namespace

std::span<const Row> float_rows() { return kFloatRows; }

}  // namespace octet::lite
