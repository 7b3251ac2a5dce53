#include <algorithm>
#include <array>

#include "formats/tflite/lower.h"

namespace octet::lite {
namespace {

/// `transposed`: the weight is [out, in] already.
void fully_connected(Lowering& to, const Node& node, bool transposed) {
  const QuantParams& params = to.grid(node, node.inputs[1]);
  Tensor integers = to.weight(node, 1);
  if (!transposed) integers = permuted(integers, std::array<int64_t, 2>{1, 0});
  const int64_t count = integers.shape[0];
  const int input = to.input(node, 0, Order::Onnx);
  const int filter = to.constant(node.inputs[1], std::move(integers), params);
  const int bias = to.bias(node, 2, params, count);
  tflite::FullyConnectedOptionsT options;
  options.asymmetric_quantize_inputs = to.real(node) && params.type == DType::Int8;
  options.fused_activation_function = to.activation(node);
  const int output = to.output(node, Order::Onnx);
  const Shape shape = to.in_file(output);
  const bool deep = shape.size() > 2;
  const int rows = deep ? to.inner(node.name + "/rows", {element_count(shape) / count, count},
                                   to.grid(node, to.result(node)), to.result(node))
                        : output;
  to.emit(tflite::BuiltinOperator_FULLY_CONNECTED, 4, options_of(options), {input, filter, bias},
          {rows});
  if (deep) to.emit_reshape(rows, output);
}

void lower_gemm(Lowering& to, const Node& node) {
  const Tensor* weight = to.graph().constant_input(node, 1);
  if (!weight) refuse(node, "its weight is computed by the network");
  const bool scaled =
      node.number("alpha", 1) != 1 || (node.input(2) != kAbsent && node.number("beta", 1) != 1);
  if (scaled || node.integer("transA", 0) != 0) {
    refuse(node, "only alpha = beta = 1 and transA = 0 can be written");
  }
  fully_connected(to, node, node.integer("transB", 0) != 0);
}

void batch_matmul(Lowering& to, int left, int right, int out) {
  to.emit(tflite::BuiltinOperator_BATCH_MATMUL, 2, options_of(tflite::BatchMatMulOptionsT{}),
          {left, right}, {out});
}

/// The leading dimensions as one, for products of more dimensions than TFLite takes.
void collapsed_matmul(Lowering& to, const Node& node, int left, int right) {
  const auto collapsed = [&](const Shape& shape) {
    const int64_t matrix = shape[shape.size() - 2] * shape.back();
    return Shape{element_count(shape) / std::max<int64_t>(matrix, 1), shape[shape.size() - 2],
                 shape.back()};
  };
  const auto reshaped = [&](int tensor, size_t index) {
    const int made = to.inner(node.name + "/operand", collapsed(to.in_file(tensor)),
                              to.grid(node, node.inputs[index]), node.inputs[index]);
    to.emit_reshape(tensor, made);
    return made;
  };
  const int out = to.output(node, Order::Onnx);
  const int product = to.inner(node.name + "/product", collapsed(to.in_file(out)),
                               to.grid(node, to.result(node)), to.result(node));
  const int a = reshaped(left, 0);
  batch_matmul(to, a, reshaped(right, 1), product);
  to.emit_reshape(product, out);
}

void lower_matmul(Lowering& to, const Node& node) {
  constexpr size_t kMostDimensions = 5;
  const Tensor* weight = to.graph().constant_input(node, 1);
  const Shape& a = to.shape(node.inputs[0]);
  const Shape& b = to.shape(node.inputs[1]);
  if (a.size() < 2 || b.size() < 2) refuse(node, "an operand has fewer than two dimensions");
  if (weight && weight->shape.size() == 2 && !to.graph().is_constant(node.inputs[0])) {
    return fully_connected(to, node, false);
  }
  const int left = to.input(node, 0, Order::Onnx);
  const int right = to.input(node, 1, Order::Onnx);
  to.activation(node, false);
  if (std::max(a.size(), b.size()) <= kMostDimensions) {
    return batch_matmul(to, left, right, to.output(node, Order::Onnx));
  }
  if (!std::ranges::equal(std::span(a).first(a.size() - 2), std::span(b).first(b.size() - 2))) {
    refuse(node, "TFLite broadcasts products of at most {} dimensions, not of {}", kMostDimensions,
           std::max(a.size(), b.size()));
  }
  collapsed_matmul(to, node, left, right);
}

constexpr std::array kMatmulRows{
    Row{"Gemm", onnx, lower_gemm},
    Row{"MatMul", onnx, lower_matmul},
};

}  // namespace

std::span<const Row> matmul_rows() { return kMatmulRows; }

}  // namespace octet::lite
