#include <array>

#include "formats/tflite/lower.h"
#include "graph/quantize_tensor.h"

namespace octet::lite {
namespace {

/// `transposed`: the weight is [out, in] already.
void fully_connected(Lowering& to, const Node& node, const Tensor& weight, bool transposed) {
  const QuantParams& params = to.grid(node, node.inputs[1]);
  Tensor integers = quantize(weight, params);
  if (!transposed) integers = permuted(integers, std::array<int64_t, 2>{1, 0});
  const int64_t count = integers.shape[0];
  const int input = to.input(node, 0, Order::Onnx);
  const int filter =
      to.constant(to.graph().value(node.inputs[1]).name, std::move(integers), params);
  const int bias = to.bias(node, 2, params, count);
  tflite::FullyConnectedOptionsT options;
  options.keep_num_dims = to.shape(node.inputs[0]).size() > 2;
  options.fused_activation_function = to.activation(node);
  to.emit(tflite::BuiltinOperator_FULLY_CONNECTED, options.keep_num_dims ? 5 : 4,
          options_of(options), {input, filter, bias}, {to.output(node, Order::Onnx)});
}

void lower_gemm(Lowering& to, const Node& node) {
  const Tensor* weight = to.graph().constant_input(node, 1);
  if (!weight) refuse(node, "its weight is computed by the network");
  const bool scaled =
      node.number("alpha", 1) != 1 || (node.input(2) != kAbsent && node.number("beta", 1) != 1);
  if (scaled || node.integer("transA", 0) != 0) {
    refuse(node, "only alpha = beta = 1 and transA = 0 can be written");
  }
  fully_connected(to, node, *weight, node.integer("transB", 0) != 0);
}

void lower_matmul(Lowering& to, const Node& node) {
  const Tensor* weight = to.graph().constant_input(node, 1);
  const size_t rank = to.shape(node.inputs[0]).size();
  if (rank < 2 || to.shape(node.inputs[1]).size() < 2) {
    refuse(node, "an operand has fewer than two dimensions");
  }
  if (weight && weight->shape.size() == 2 && !to.graph().is_constant(node.inputs[0])) {
    return fully_connected(to, node, *weight, false);
  }
  const int left = to.input(node, 0, Order::Onnx);
  const int right = to.input(node, 1, Order::Onnx);
  to.activation(node, false);
  to.emit(tflite::BuiltinOperator_BATCH_MATMUL, 2, options_of(tflite::BatchMatMulOptionsT{}),
          {left, right}, {to.output(node, Order::Onnx)});
}

constexpr std::array kRows{
    Row{"Gemm", onnx, lower_gemm},
    Row{"MatMul", onnx, lower_matmul},
};

}  // namespace

std::span<const Row> matmul_rows() { return kRows; }

}  // namespace octet::lite
