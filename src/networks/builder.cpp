#include "networks/builder.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace octet {

int64_t multiple_of_8(double channels) {
  const auto rounded = std::max<int64_t>(8, static_cast<int64_t>(channels + 4) / 8 * 8);
  return static_cast<double>(rounded) < 0.9 * channels ? rounded + 8 : rounded;
}

NetworkBuilder::NetworkBuilder(const NetworkSize& size, uint64_t seed)
    : random_(seed), width_(size.width) {
  input_ =
      graph_.add_input("input", DType::Float32, {-1, size.input[0], size.input[1], size.input[2]});
}

int64_t NetworkBuilder::scaled(int64_t channels) const {
  return multiple_of_8(static_cast<double>(channels) * width_);
}

/// Box-Muller: std::normal_distribution differs between standard libraries.
double NetworkBuilder::normal() {
  const auto uniform = [&] { return (static_cast<double>(random_() >> 11) + 0.5) * 0x1p-53; };
  const double radius = std::sqrt(-2 * std::log(uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

ValueId NetworkBuilder::weight(const std::string& name, Shape shape, double deviation) {
  Tensor tensor(DType::Float32, std::move(shape));
  for (float& element : tensor.as<float>()) element = static_cast<float>(normal() * deviation);
  return graph_.add_constant(name, std::move(tensor));
}

ValueId NetworkBuilder::truncated_normal(const std::string& name, Shape shape, double deviation) {
  Tensor tensor(DType::Float32, std::move(shape));
  for (float& element : tensor.as<float>()) {
    double drawn = normal();
    while (std::abs(drawn) > 2) drawn = normal();
    element = static_cast<float>(drawn * deviation);
  }
  return graph_.add_constant(name, std::move(tensor));
}

ValueId NetworkBuilder::filled(const std::string& name, Shape shape, float value) {
  Tensor tensor(DType::Float32, std::move(shape));
  std::ranges::fill(tensor.as<float>(), value);
  return graph_.add_constant(name, std::move(tensor));
}

ValueId NetworkBuilder::scalar(const std::string& name, float value) {
  return graph_.add_constant(name, Tensor::scalar(value));
}

ValueId NetworkBuilder::integers(const std::string& name, const std::vector<int64_t>& values) {
  return graph_.add_constant(name, Tensor::vector(values));
}

ValueId NetworkBuilder::op(const std::string& op, const std::string& name,
                           std::vector<ValueId> inputs, std::map<std::string, Attribute> attributes,
                           Shape shape) {
  const ValueId made = graph_.add_op(op, name, std::move(inputs), std::move(attributes));
  graph_.value(made).shape = std::move(shape);
  graph_.value(made).shape_known = true;
  return made;
}

ValueId NetworkBuilder::windowed(const std::string& op, const std::string& name,
                                 std::vector<ValueId> inputs, int64_t out,
                                 const ConvShape& window) {
  const Shape in = shape(inputs[0]);
  const int64_t pad = (window.kernel - 1) / 2;
  const auto extent = [&](int64_t size) {
    return (size + 2 * pad - window.kernel) / window.stride + 1;
  };
  std::map<std::string, Attribute> attributes{
      {"kernel_shape", std::vector{window.kernel, window.kernel}},
      {"strides", std::vector{window.stride, window.stride}},
      {"pads", std::vector{pad, pad, pad, pad}}};
  if (op == "Conv") attributes["group"] = window.groups;
  return this->op(op, name, std::move(inputs), std::move(attributes),
                  {-1, out, extent(in[2]), extent(in[3])});
}

ValueId NetworkBuilder::conv(const std::string& name, ValueId x, int64_t out,
                             const ConvShape& window) {
  const double fan_out = static_cast<double>(window.kernel * window.kernel * out / window.groups);
  std::vector<ValueId> inputs{
      x, weight(name + ".weight", {out, channels(x) / window.groups, window.kernel, window.kernel},
                std::sqrt(2 / fan_out))};
  if (window.bias) inputs.push_back(filled(name + ".bias", {out}, 0));
  return windowed("Conv", name, std::move(inputs), out, window);
}

ValueId NetworkBuilder::max_pool(const std::string& name, ValueId x, const ConvShape& window) {
  return windowed("MaxPool", name, {x}, channels(x), window);
}

ValueId NetworkBuilder::batch_norm(const std::string& name, ValueId x) {
  const Shape count{channels(x)};
  return op("BatchNormalization", name,
            {x, filled(name + ".weight", count, 1), filled(name + ".bias", count, 0),
             filled(name + ".mean", count, 0), filled(name + ".variance", count, 1)},
            {}, Shape(shape(x)));
}

ValueId NetworkBuilder::layer_norm(const std::string& name, ValueId x, float epsilon) {
  const Shape count{shape(x).back()};
  return op("LayerNormalization", name,
            {x, filled(name + ".weight", count, 1), filled(name + ".bias", count, 0)},
            {{"axis", int64_t{-1}}, {"epsilon", epsilon}}, Shape(shape(x)));
}

ValueId NetworkBuilder::activation(const std::string& op, const std::string& name, ValueId x) {
  if (op.empty()) return x;
  if (op == "Silu") {
    return binary("Mul", name, x, activation("Sigmoid", name + ".sigmoid", x));
  }
  if (op == "Relu6") {
    return this->op("Clip", name, {x, scalar(name + ".low", 0), scalar(name + ".high", 6)}, {},
                    Shape(shape(x)));
  }
  std::map<std::string, Attribute> attributes;
  if (op == "HardSigmoid") attributes = {{"alpha", 1.0F / 6}, {"beta", 0.5F}};
  return this->op(op, name, {x}, std::move(attributes), Shape(shape(x)));
}

ValueId NetworkBuilder::conv_block(const std::string& name, ValueId x, int64_t out,
                                   const ConvShape& window, const std::string& act) {
  ValueId y = conv(name + ".conv", x, out, window);
  if (!window.bias) y = batch_norm(name + ".norm", y);
  return activation(act, name + ".act", y);
}

ValueId NetworkBuilder::global_pool(const std::string& name, ValueId x) {
  return op("GlobalAveragePool", name, {x}, {}, {-1, channels(x), 1, 1});
}

ValueId NetworkBuilder::binary(const std::string& op, const std::string& name, ValueId a,
                               ValueId b) {
  return this->op(op, name, {a, b}, {}, Shape(shape(a)));
}

ValueId NetworkBuilder::flatten(const std::string& name, ValueId x) {
  const Shape in = shape(x);
  return op("Flatten", name, {x}, {{"axis", int64_t{1}}}, {-1, in[1] * in[2] * in[3]});
}

ValueId NetworkBuilder::linear(const std::string& name, ValueId x, int64_t out, bool bias) {
  const int64_t in = channels(x);
  std::vector<ValueId> inputs{
      x, weight(name + ".weight", {out, in}, std::sqrt(1.0 / static_cast<double>(in)))};
  if (bias) inputs.push_back(filled(name + ".bias", {out}, 0));
  return op("Gemm", name, std::move(inputs), {{"transB", int64_t{1}}}, {-1, out});
}

ValueId NetworkBuilder::reshape(const std::string& name, ValueId x, Shape shape) {
  std::vector<int64_t> target = shape;
  target[0] = 0;  // ONNX: copied from the input
  return op("Reshape", name, {x, integers(name + ".shape", target)}, {}, std::move(shape));
}

ValueId NetworkBuilder::transpose(const std::string& name, ValueId x,
                                  const std::vector<int64_t>& order) {
  Shape turned;
  for (const int64_t axis : order) turned.push_back(shape(x)[static_cast<size_t>(axis)]);
  return op("Transpose", name, {x}, {{"perm", order}}, std::move(turned));
}

ValueId NetworkBuilder::slice(const std::string& name, ValueId x, int64_t axis, int64_t begin,
                              int64_t end) {
  Shape kept = shape(x);
  kept[static_cast<size_t>(axis)] = end - begin;
  return op("Slice", name,
            {x, integers(name + ".begin", {begin}), integers(name + ".end", {end}),
             integers(name + ".axis", {axis})},
            {}, std::move(kept));
}

Graph NetworkBuilder::finish(ValueId logits) {
  const ValueId named = graph_.add_value("logits");
  graph_.swap_names(logits, named);
  graph_.add_output(logits);
  return std::move(graph_);
}

}  // namespace octet
