#include <algorithm>
#include <array>

#include "formats/tflite/padding.h"

namespace octet::lite {
namespace {

template <class Options>
Options conv_options(const Window& window, tflite::Padding padding,
                     tflite::ActivationFunctionType activation) {
  Options options;
  options.padding = padding;
  options.stride_h = static_cast<int32_t>(window.stride[0]);
  options.stride_w = static_cast<int32_t>(window.stride[1]);
  options.dilation_h_factor = static_cast<int32_t>(window.dilation[0]);
  options.dilation_w_factor = static_cast<int32_t>(window.dilation[1]);
  options.fused_activation_function = activation;
  return options;
}

/// The constant weight of a convolution of images.
const Tensor& weight_of(const Lowering& to, const Node& node) {
  const Tensor* weight = to.graph().constant_input(node, 1);
  const size_t rank = to.shape(node.inputs[0]).size();
  if (!weight) refuse(node, "its weight is computed by the network");
  if (rank != 4) refuse(node, "its input has {} dimensions; wanted 4, of images", rank);
  return *weight;
}

void lower_conv(Lowering& to, const Node& node) {
  const Tensor& weight = weight_of(to, node);
  const Shape& in = to.shape(node.inputs[0]);
  const Window window = window_of(node, std::span(weight.shape).subspan(2), in[2], in[3]);
  const Padding padding = padding_of(window, in, to.shape(node.outputs[0]));
  int input = to.input(node, 0, Order::ChannelsLast);
  if (!padding.exact) input = pad_image(to, node, input, padding);

  const int64_t group = node.integer("group", 1);
  const bool depthwise = group > 1 && group == in[1];
  // OIHW to OHWI, or to 1HWO where I is one.
  constexpr std::array<int64_t, 4> kDense{0, 2, 3, 1};
  constexpr std::array<int64_t, 4> kDepthwise{1, 2, 3, 0};
  const QuantParams& params = to.grid(node, node.inputs[1]);
  Tensor integers = permuted(to.weight(node, 1), depthwise ? kDepthwise : kDense);
  int filter = to.constant(node.inputs[1], std::move(integers), params, depthwise ? 3 : 0);
  const bool dilated = window.dilation != std::array<int64_t, 2>{1, 1};
  const bool hybrid = to.real(node) && params.type == DType::Int8;
  // The hybrid kernels know neither dilations nor groups.
  if (hybrid && (dilated || (group > 1 && !depthwise))) filter = to.dequantized(filter);
  const int bias = to.bias(node, 2, params, weight.shape[0]);
  const auto activation = to.activation(node);
  const int out = to.output(node, Order::ChannelsLast);
  if (!depthwise) {
    to.emit(tflite::BuiltinOperator_CONV_2D, group > 1 ? 6 : 3,
            options_of(conv_options<tflite::Conv2DOptionsT>(window, padding.scheme, activation)),
            {input, filter, bias}, {out});
    return;
  }
  auto options = conv_options<tflite::DepthwiseConv2DOptionsT>(window, padding.scheme, activation);
  options.depth_multiplier = static_cast<int32_t>(weight.shape[0] / group);
  to.emit(tflite::BuiltinOperator_DEPTHWISE_CONV_2D, 3, options_of(options), {input, filter, bias},
          {out});
}

/// How a transposed convolution is written: SAME or VALID, or VALID of a larger image that is cut.
struct TransposedForm {
  tflite::Padding scheme = tflite::Padding_VALID;
  std::array<int64_t, 2> cut{0, 0};  ///< rows and columns in front that fall away
};

TransposedForm form_of(const Window& window, const Shape& in, const Shape& out) {
  bool same = true;
  TransposedForm form;
  for (size_t d = 0; d < 2; ++d) {
    // SAME pads as the convolution from the output to the input does.
    const int64_t rows = (out[d + 2] + window.stride[d] - 1) / window.stride[d];
    const int64_t padded = (rows - 1) * window.stride[d] + window.kernel[d];
    const int64_t before = std::max<int64_t>(padded - out[d + 2], 0) / 2;
    same = same && rows == in[d + 2] && before == window.begin[d];
    form.cut[d] = window.begin[d];
  }
  if (form.cut == std::array<int64_t, 2>{0, 0}) return form;
  return same ? TransposedForm{.scheme = tflite::Padding_SAME} : form;
}

Window transposed_window(const Node& node, const Tensor& weight, const Shape& in) {
  const std::array<int64_t, 2> extents{in[2], in[3]};
  const auto spatial = std::span(weight.shape).subspan(2);
  const SpatialWindow read = transposed_window_of(node, spatial, extents).window;
  Window window;
  for (size_t d = 0; d < 2; ++d) {
    window.kernel[d] = read.kernel[d];
    window.stride[d] = read.stride[d];
    window.dilation[d] = read.dilation[d];
    window.begin[d] = read.begin[d];
  }
  return window;
}

/// The image without its first rows and columns, of the node's output.
void cut_image(Lowering& to, const Node& node, int image, std::array<int64_t, 2> cut) {
  const Shape shape = to.in_file(image);
  const std::vector<int64_t> begin{0, cut[0], cut[1], 0};
  const int out = to.output(node, Order::ChannelsLast);
  to.emit(tflite::BuiltinOperator_SLICE, 2, options_of(tflite::SliceOptionsT{}),
          {image, to.numbers(node.name + "/begin", begin),
           to.numbers(node.name + "/size", to.in_file(out))},
          {out});
}

void lower_conv_transpose(Lowering& to, const Node& node) {
  const Tensor& weight = weight_of(to, node);
  const Shape& in = to.shape(node.inputs[0]);
  if (node.integer("group", 1) != 1) refuse(node, "TFLite's transposed convolution has no groups");
  const Window window = transposed_window(node, weight, in);
  if (window.dilation != std::array<int64_t, 2>{1, 1}) {
    refuse(node, "TFLite's transposed convolution has no dilations");
  }
  if (std::ranges::min(window.begin) < 0) refuse(node, "negative pads cannot be written");
  const int input = to.input(node, 0, Order::ChannelsLast);
  constexpr std::array<int64_t, 4> kOutputFirst{1, 2, 3, 0};  // IOHW to OHWI
  const QuantParams& params = to.grid(node, node.inputs[1]);
  Tensor integers = permuted(to.weight(node, 1), kOutputFirst);
  const int filter = to.constant(node.inputs[1], std::move(integers), params);
  const int bias = to.bias(node, 2, params, weight.shape[1]);
  to.activation(node, false);
  const TransposedForm form = form_of(window, in, to.shape(node.outputs[0]));
  const bool whole = form.cut == std::array<int64_t, 2>{0, 0};
  Shape shape = permuted(to.shape(node.outputs[0]), kToChannelsLast);
  shape[1] += form.cut[0];
  shape[2] += form.cut[1];
  const int made = whole ? to.output(node, Order::ChannelsLast)
                         : to.inner(node.name + "/uncut", shape, to.grid(node, to.result(node)));
  tflite::TransposeConvOptionsT options;
  options.padding = form.scheme;
  options.stride_h = static_cast<int32_t>(window.stride[0]);
  options.stride_w = static_cast<int32_t>(window.stride[1]);
  to.emit(tflite::BuiltinOperator_TRANSPOSE_CONV, 3, options_of(options),
          {to.numbers(node.name + "/shape", shape), filter, input, bias}, {made});
  if (!whole) cut_image(to, node, made, form.cut);
}

constexpr std::array kConvRows{
    Row{"Conv", image, lower_conv},
    Row{"ConvTranspose", image, lower_conv_transpose},
};

}  // namespace

std::span<const Row> conv_rows() { return kConvRows; }

}  // namespace octet::lite
