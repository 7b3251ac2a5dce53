#include <array>

#include "formats/tflite/padding.h"
#include "graph/quantize_tensor.h"

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

void lower_conv(Lowering& to, const Node& node) {
  const Tensor* weight = to.graph().constant_input(node, 1);
  if (!weight) refuse(node, "its weight is computed by the network");
  const Shape& in = to.shape(node.inputs[0]);
  const Window window = window_of(node, std::span(weight->shape).subspan(2), in[2], in[3]);
  const Padding padding = padding_of(window, in, to.shape(node.outputs[0]));
  int input = to.input(node, 0, Order::ChannelsLast);
  if (!padding.exact) input = pad_image(to, node, input, padding);

  const int64_t group = node.integer("group", 1);
  const bool depthwise = group > 1 && group == in[1];
  // OIHW to OHWI, or to 1HWO where I is one.
  constexpr std::array<int64_t, 4> kDense{0, 2, 3, 1};
  constexpr std::array<int64_t, 4> kDepthwise{1, 2, 3, 0};
  const QuantParams& params = to.grid(node, node.inputs[1]);
  Tensor integers = permuted(quantize(*weight, params), depthwise ? kDepthwise : kDense);
  const int filter = to.constant(to.graph().value(node.inputs[1]).name, std::move(integers), params,
                                 depthwise ? 3 : 0);
  const int bias = to.bias(node, 2, params, weight->shape[0]);
  const auto activation = to.activation(node);
  const int out = to.output(node, Order::ChannelsLast);
  if (!depthwise) {
    to.emit(tflite::BuiltinOperator_CONV_2D, group > 1 ? 6 : 3,
            options_of(conv_options<tflite::Conv2DOptionsT>(window, padding.scheme, activation)),
            {input, filter, bias}, {out});
    return;
  }
  auto options = conv_options<tflite::DepthwiseConv2DOptionsT>(window, padding.scheme, activation);
  options.depth_multiplier = static_cast<int32_t>(weight->shape[0] / group);
  to.emit(tflite::BuiltinOperator_DEPTHWISE_CONV_2D, 3, options_of(options), {input, filter, bias},
          {out});
}

constexpr std::array kRows{Row{"Conv", image, lower_conv}};

}  // namespace

std::span<const Row> conv_rows() { return kRows; }

}  // namespace octet::lite
