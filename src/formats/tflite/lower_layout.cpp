#include <algorithm>
#include <array>
#include <numeric>

#include "formats/tflite/lower.h"
#include "graph/quantize_tensor.h"

namespace octet::lite {
namespace {

void lower_reshape(Lowering& to, const Node& node) {
  const int input = to.input(node, 0, Order::Onnx);
  to.emit_reshape(input, to.output(node, Order::Onnx));
}

void lower_transpose(Lowering& to, const Node& node) {
  std::vector<int64_t> permutation = node.integers("perm");
  if (permutation.empty()) {
    permutation.resize(to.shape(node.inputs[0]).size());
    std::iota(permutation.rbegin(), permutation.rend(), 0);
  }
  const int input = to.input(node, 0, Order::Onnx);
  to.emit_transpose(input, to.output(node, Order::Onnx), permutation);
}

void lower_concat(Lowering& to, const Node& node) {
  const Order order = to.order(node);
  std::vector<int> inputs;
  for (size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(to.input(node, i, order));
  tflite::ConcatenationOptionsT options;
  options.axis = static_cast<int32_t>(
      axis_in(order, node.integer("axis", 0), to.shape(node.outputs[0]).size()));
  to.emit(tflite::BuiltinOperator_CONCATENATION, 2, options_of(options), inputs,
          {to.output(node, order)});
}

/// The numbers of a constant input; `fallback` where it is not given.
std::vector<int64_t> parameter(const Lowering& to, const Node& node, size_t index,
                               std::vector<int64_t> fallback = {}) {
  if (node.input(index) == kAbsent) return fallback;
  const Tensor* given = to.graph().constant_input(node, index);
  if (!given) refuse(node, "its input {} is computed by the network", index);
  if (given->dtype == DType::Int32) {
    const auto narrow = given->as<int32_t>();
    return {narrow.begin(), narrow.end()};
  }
  const auto wide = given->as<int64_t>();
  return {wide.begin(), wide.end()};
}

std::vector<int64_t> counting(size_t count) {
  std::vector<int64_t> numbers(count);
  std::ranges::iota(numbers, 0);
  return numbers;
}

void lower_slice(Lowering& to, const Node& node) {
  const Order order = to.order(node);
  const Shape& in = to.shape(node.inputs[0]);
  const auto starts = parameter(to, node, 1);
  const auto ends = parameter(to, node, 2);
  const auto axes = parameter(to, node, 3, counting(starts.size()));
  const auto steps = parameter(to, node, 4, std::vector<int64_t>(starts.size(), 1));
  std::vector<int64_t> begin(in.size(), 0);
  std::vector<int64_t> end(in.size());
  std::vector<int64_t> stride(in.size(), 1);
  for (size_t d = 0; d < in.size(); ++d) {
    end[static_cast<size_t>(axis_in(order, static_cast<int64_t>(d), in.size()))] = in[d];
  }
  for (size_t i = 0; i < starts.size(); ++i) {
    const auto axis = static_cast<size_t>(axis_in(Order::Onnx, axes[i], in.size()));
    const auto at = static_cast<size_t>(axis_in(order, axes[i], in.size()));
    const auto clamped = [&](int64_t bound) {
      return std::clamp<int64_t>(bound < 0 ? bound + in[axis] : bound, 0, in[axis]);
    };
    if (steps[i] <= 0) refuse(node, "a negative step cannot be written");
    begin[at] = clamped(starts[i]);
    end[at] = clamped(ends[i]);
    stride[at] = steps[i];
  }
  const int input = to.input(node, 0, order);
  const std::vector<int> inputs{input, to.numbers(node.name + "/begin", begin),
                                to.numbers(node.name + "/end", end),
                                to.numbers(node.name + "/strides", stride)};
  to.emit(tflite::BuiltinOperator_STRIDED_SLICE, in.size() > 4 ? 4 : 2,
          options_of(tflite::StridedSliceOptionsT{}), inputs, {to.output(node, order)});
}

void lower_pad(Lowering& to, const Node& node) {
  const Order order = to.order(node);
  const size_t rank = to.shape(node.inputs[0]).size();
  const auto pads = parameter(to, node, 1);
  const auto axes = parameter(to, node, 3, counting(pads.size() / 2));
  std::vector<int64_t> amounts(2 * rank, 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto at = static_cast<size_t>(2 * axis_in(order, axes[i], rank));
    amounts[at] = pads[i];
    amounts[at + 1] = pads[i + axes.size()];
  }
  if (std::ranges::min(amounts) < 0) refuse(node, "negative pads cannot be written");
  if (node.text("mode", "constant") != "constant") {
    refuse(node, "only the mode 'constant' can be written");
  }
  const int input = to.input(node, 0, order);
  const int numbers = to.numbers(node.name + "/pads", amounts, {static_cast<int64_t>(rank), 2});
  const Tensor* fill = to.graph().constant_input(node, 2);
  if (!fill || fill->as<float>()[0] == 0) {
    to.emit(tflite::BuiltinOperator_PAD, 2, options_of(tflite::PadOptionsT{}), {input, numbers},
            {to.output(node, order)});
    return;
  }
  const QuantParams& params = to.grid(node, node.inputs[0]);
  Tensor integer = quantize(*fill, params);
  integer.shape = {1};
  const int value = to.constant(node.name + "/fill", std::move(integer), params);
  to.emit(tflite::BuiltinOperator_PADV2, 2, options_of(tflite::PadV2OptionsT{}),
          {input, numbers, value}, {to.output(node, order)});
}

constexpr std::array kRows{
    Row{"Reshape", onnx, lower_reshape},     Row{"Flatten", onnx, lower_reshape},
    Row{"Squeeze", onnx, lower_reshape},     Row{"Unsqueeze", onnx, lower_reshape},
    Row{"Transpose", onnx, lower_transpose}, Row{"Concat", any, lower_concat},
    Row{"Slice", any, lower_slice},          Row{"Pad", any, lower_pad},
};

}  // namespace

std::span<const Row> layout_rows() { return kRows; }

}  // namespace octet::lite
