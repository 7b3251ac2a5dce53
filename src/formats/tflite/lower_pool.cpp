#include <array>

#include "formats/tflite/padding.h"

namespace octet::lite {
namespace {

tflite::Pool2DOptionsT pool_options(const Window& window, tflite::Padding padding,
                                    tflite::ActivationFunctionType activation) {
  tflite::Pool2DOptionsT options;
  options.padding = padding;
  options.stride_h = static_cast<int32_t>(window.stride[0]);
  options.stride_w = static_cast<int32_t>(window.stride[1]);
  options.filter_height = static_cast<int32_t>(window.kernel[0]);
  options.filter_width = static_cast<int32_t>(window.kernel[1]);
  options.fused_activation_function = activation;
  return options;
}

Window pool_window(const Lowering& to, const Node& node) {
  const Shape& in = to.shape(node.inputs[0]);
  if (in.size() != 4) refuse(node, "its input has {} dimensions; wanted 4, of images", in.size());
  const Window window = window_of(node, {}, in[2], in[3]);
  if (window.dilation != std::array<int64_t, 2>{1, 1}) {
    refuse(node, "TFLite's pooling has no dilations");
  }
  return window;
}

void lower_max_pool(Lowering& to, const Node& node) {
  const Window window = pool_window(to, node);
  const Padding padding = padding_of(window, to.shape(node.inputs[0]), to.shape(node.outputs[0]));
  int input = to.input(node, 0, Order::ChannelsLast);
  if (!padding.exact) input = pad_image(to, node, input, padding, Fill::Lowest);
  const auto activation = to.activation(node);
  to.emit(tflite::BuiltinOperator_MAX_POOL_2D, 2,
          options_of(pool_options(window, padding.scheme, activation)), {input},
          {to.output(node, Order::ChannelsLast)});
}

/// An average over whole windows as a convolution with equal weights, which may change the grid.
void average_by_conv(Lowering& to, const Node& node, const Window& window, const Padding& padding,
                     int input) {
  const int64_t channels = to.shape(node.inputs[0])[1];
  const int64_t area = window.kernel[0] * window.kernel[1];
  Tensor weight(DType::Int8, {1, window.kernel[0], window.kernel[1], channels});
  for (int8_t& one : weight.as<int8_t>()) one = 127;
  const QuantParams params{.axis = -1,
                           .low = -127,
                           .high = 127,
                           .scale = {1.0F / (127.0F * static_cast<float>(area))},
                           .zero_point = {0},
                           .origin = Origin::Fixed};
  const int filter = to.constant(node.name + "/weight", std::move(weight), params, 3);
  const int bias = to.bias(node, 2, params, channels);
  tflite::DepthwiseConv2DOptionsT options;
  options.padding = padding.scheme;
  options.stride_h = static_cast<int32_t>(window.stride[0]);
  options.stride_w = static_cast<int32_t>(window.stride[1]);
  options.depth_multiplier = 1;
  options.fused_activation_function = to.activation(node);
  to.emit(tflite::BuiltinOperator_DEPTHWISE_CONV_2D, 3, options_of(options), {input, filter, bias},
          {to.output(node, Order::ChannelsLast)});
}

void lower_average_pool(Lowering& to, const Node& node) {
  const Window window = pool_window(to, node);
  const Padding padding = padding_of(window, to.shape(node.inputs[0]), to.shape(node.outputs[0]));
  // TFLite divides by the number of elements that are not padding, ONNX may count them.
  const bool padded = !padding.exact || padding.scheme == tflite::Padding_SAME;
  const bool counts = node.integer("count_include_pad", 0) != 0;
  if (padded && counts && window.ceil) {
    refuse(node, "count_include_pad together with ceil_mode cannot be written");
  }
  const bool one_grid = same_grid(to.grid(node, node.inputs[0]), to.grid(node, to.result(node)));
  int input = to.input(node, 0, Order::ChannelsLast);
  Padding used = padding;
  if (padded && counts) {
    used = {.begin = padding.begin, .end = padding.end};
    input = pad_image(to, node, input, padding);
  } else if (padded && (!one_grid || !padding.exact)) {
    refuse(node, "{}",
           one_grid ? "TFLite pads an average only as SAME does"
                    : "its padded average changes the scale");
  }
  if (!one_grid) return average_by_conv(to, node, window, used, input);
  const auto activation = to.activation(node);
  to.emit(tflite::BuiltinOperator_AVERAGE_POOL_2D, 2,
          options_of(pool_options(window, used.scheme, activation)), {input},
          {to.output(node, Order::ChannelsLast)});
}

void lower_global(Lowering& to, const Node& node, tflite::BuiltinOperator code) {
  const size_t rank = to.shape(node.inputs[0]).size();
  if (rank != 4) refuse(node, "its input has {} dimensions; wanted 4, of images", rank);
  const int input = to.input(node, 0, Order::ChannelsLast);
  const int axes = to.numbers(node.name + "/axes", std::array<int64_t, 2>{1, 2});
  tflite::ReducerOptionsT options;
  options.keep_dims = true;
  to.activation(node, false);
  to.emit(code, 2, options_of(options), {input, axes}, {to.output(node, Order::ChannelsLast)});
}

void lower_global_average(Lowering& to, const Node& node) {
  lower_global(to, node, tflite::BuiltinOperator_MEAN);
}
void lower_global_max(Lowering& to, const Node& node) {
  lower_global(to, node, tflite::BuiltinOperator_REDUCE_MAX);
}

constexpr std::array kPoolRows{
    Row{"MaxPool", image, lower_max_pool},
    Row{"AveragePool", image, lower_average_pool},
    Row{"GlobalAveragePool", image, lower_global_average},
    Row{"GlobalMaxPool", image, lower_global_max},
};

}  // namespace

std::span<const Row> pool_rows() { return kPoolRows; }

}  // namespace octet::lite
