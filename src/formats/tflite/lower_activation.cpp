#include <array>
#include <cmath>

#include "formats/tflite/lower.h"
#include "graph/quantize_tensor.h"
#include "ops/op_def.h"

namespace octet::lite {
namespace {

void unary(Lowering& to, const Node& node, tflite::BuiltinOperator code, int version,
           tflite::BuiltinOptionsUnion options = {}) {
  const Order order = to.order(node);
  const int input = to.input(node, 0, order);
  to.activation(node, false);
  to.emit(code, version, std::move(options), {input}, {to.output(node, order)});
}

bool on_one_grid(const Lowering& to, const Node& node) {
  return same_grid(to.grid(node, node.inputs[0]), to.grid(node, node.outputs[0]));
}

/// MAXIMUM with the one bound, MINIMUM with the other, as integers; bounds beyond them do nothing.
void clip_integers(Lowering& to, const Node& node, std::pair<float, float> bounds) {
  const Order order = to.order(node);
  const QuantParams& grid = to.grid(node, node.outputs[0]);
  const auto bound = [&](const char* name, float real) {
    return to.constant(node.name + name, quantize(Tensor::scalar(real), grid), grid);
  };
  const auto emit = [&](tflite::BuiltinOperator code, int in, int number, int out) {
    to.emit(code, 2, options_of(tflite::MaximumMinimumOptionsT{}), {in, number}, {out});
  };
  const bool below = std::nearbyint(bounds.first / grid.scale[0]) + grid.zero_point[0] > grid.low;
  const bool above = std::nearbyint(bounds.second / grid.scale[0]) + grid.zero_point[0] < grid.high;
  int held = to.input(node, 0, order);
  const int out = to.output(node, order);
  if (below) {
    const int raised = above ? to.inner(node.name + "/raised", to.in_file(out), grid) : out;
    emit(tflite::BuiltinOperator_MAXIMUM, held, bound("/low", bounds.first), raised);
    held = raised;
  }
  if (above) emit(tflite::BuiltinOperator_MINIMUM, held, bound("/high", bounds.second), out);
}

/// RELU is the clip: the upper bound is the end of a grid around 0.
bool halves(const QuantParams& params, std::pair<float, float> bounds) {
  return params.type == DType::Int16 && bounds.first == 0 &&
         std::nearbyint(bounds.second / params.scale[0]) >= params.high;
}

/// MAXIMUM with the lower bound, then MINIMUM with the upper one.
void clip_real(Lowering& to, const Node& node, std::pair<float, float> bounds) {
  const Order order = to.order(node);
  const int input = to.input(node, 0, order);
  const int raised = to.inner(node.name + "/raised", to.in_file(input), kReal);
  const auto extreme = [&](tflite::BuiltinOperator code, int bound, int from, int out) {
    to.emit(code, 1, options_of(tflite::MaximumMinimumOptionsT{}), {from, bound}, {out});
  };
  const int low = to.real_number(node.name + "/low", bounds.first);
  const int high = to.real_number(node.name + "/high", bounds.second);
  extreme(tflite::BuiltinOperator_MAXIMUM, low, input, raised);
  extreme(tflite::BuiltinOperator_MINIMUM, high, raised, to.output(node, order));
}

/// A clip that no producer takes in.
void lower_clip(Lowering& to, const Node& node) {
  const auto bounds = std::get<Absorbable>(op_of(node).quant.value).bounds(to.graph(), node);
  const auto known = activation_for(bounds);
  const QuantParams& out = to.grid(node, to.result(node));
  if (known == tflite::ActivationFunctionType_RELU || halves(out, bounds)) {
    unary(to, node, tflite::BuiltinOperator_RELU, 2);
  } else if (known == tflite::ActivationFunctionType_RELU6) {
    unary(to, node, tflite::BuiltinOperator_RELU6, 2);
  } else if (to.real(node)) {
    clip_real(to, node, bounds);
  } else if (saturates(out, bounds)) {
    unary(to, node, tflite::BuiltinOperator_QUANTIZE, 2, options_of(tflite::QuantizeOptionsT{}));
  } else if (on_one_grid(to, node)) {
    clip_integers(to, node, bounds);
  } else {
    refuse(node, "TFLite cannot clip to [{}, {}], and the output's integers do not end there",
           bounds.first, bounds.second);
  }
}

void lower_leaky_relu(Lowering& to, const Node& node) {
  tflite::LeakyReluOptionsT options;
  options.alpha = node.number("alpha", 0.01F);
  unary(to, node, tflite::BuiltinOperator_LEAKY_RELU, 2, options_of(options));
}

void lower_sigmoid(Lowering& to, const Node& node) {
  unary(to, node, tflite::BuiltinOperator_LOGISTIC, 2);
}

void lower_tanh(Lowering& to, const Node& node) {
  unary(to, node, tflite::BuiltinOperator_TANH, 2);
}

int64_t softmax_axis(const Graph& graph, const Node& node) {
  const auto rank = static_cast<int64_t>(graph.value(node.outputs[0]).shape.size());
  const int64_t axis = node.integer("axis", -1);
  return axis < 0 ? axis + rank : axis;
}

/// The axis must be the last one in the file.
Need softmax_need(const Graph& graph, const Node& node) {
  return softmax_axis(graph, node) == 1 ? Need::Image : Need::Onnx;
}

void along_last_axis(Lowering& to, const Node& node, tflite::BuiltinOperator code,
                     tflite::BuiltinOptionsUnion options) {
  const size_t rank = to.shape(node.outputs[0]).size();
  const int64_t axis = softmax_axis(to.graph(), node);
  const Order order = rank == 4 && axis == 1 ? Order::ChannelsLast : Order::Onnx;
  if (axis_in(order, axis, rank) + 1 != static_cast<int64_t>(rank)) {
    refuse(node, "TFLite's softmax runs over the last axis, not over axis {} of {}", axis, rank);
  }
  const int input = to.input(node, 0, order);
  to.emit(code, 2, std::move(options), {input}, {to.output(node, order)});
}

void lower_softmax(Lowering& to, const Node& node) {
  tflite::SoftmaxOptionsT options;
  options.beta = 1;
  along_last_axis(to, node, tflite::BuiltinOperator_SOFTMAX, options_of(options));
}

void lower_hard_swish(Lowering& to, const Node& node) {
  unary(to, node, tflite::BuiltinOperator_HARD_SWISH, 1, options_of(tflite::HardSwishOptionsT{}));
}

void lower_log_softmax(Lowering& to, const Node& node) {
  along_last_axis(to, node, tflite::BuiltinOperator_LOG_SOFTMAX,
                  options_of(tflite::LogSoftmaxOptionsT{}));
}

void lower_gelu(Lowering& to, const Node& node) {
  tflite::GeluOptionsT options;
  options.approximate = node.text("approximate", "none") == "tanh";
  unary(to, node, tflite::BuiltinOperator_GELU, 2, options_of(options));
}

void lower_exp(Lowering& to, const Node& node) {
  unary(to, node, tflite::BuiltinOperator_EXP, 2, options_of(tflite::ExpOptionsT{}));
}

void lower_log(Lowering& to, const Node& node) { unary(to, node, tflite::BuiltinOperator_LOG, 2); }

void lower_sqrt(Lowering& to, const Node& node) {
  unary(to, node, tflite::BuiltinOperator_SQRT, 2);
}

void lower_elu(Lowering& to, const Node& node) { unary(to, node, tflite::BuiltinOperator_ELU, 1); }

/// TFLite's ELU has no other slope.
bool plain_elu(const Node& node) { return node.number("alpha", 1) == 1; }

void lower_abs(Lowering& to, const Node& node) {
  unary(to, node, tflite::BuiltinOperator_ABS, 2, options_of(tflite::AbsOptionsT{}));
}

constexpr std::array kActivationRows{
    Row{"Abs", any, lower_abs},
    Row{"Elu", any, lower_elu, plain_elu},
    Row{"Exp", any, lower_exp},
    Row{"Gelu", any, lower_gelu},
    Row{"LogSoftmax", softmax_need, lower_log_softmax, nullptr, 16.0F / 256, 127},
    Row{"Relu", any, lower_clip},
    Row{"Clip", any, lower_clip},
    Row{"LeakyRelu", any, lower_leaky_relu},
    Row{"Sigmoid", any, lower_sigmoid, nullptr, 1.0F / 256, -128},
    Row{"Tanh", any, lower_tanh, nullptr, 1.0F / 128, 0},
    Row{"Softmax", softmax_need, lower_softmax, nullptr, 1.0F / 256, -128},
    Row{"HardSwish", any, lower_hard_swish},
    Row{.op = "Log", .need = any, .lower = lower_log, .newer = true},
    Row{.op = "Sqrt", .need = any, .lower = lower_sqrt, .newer = true},
};

}  // namespace

std::span<const Row> activation_rows() { return kActivationRows; }

}  // namespace octet::lite
