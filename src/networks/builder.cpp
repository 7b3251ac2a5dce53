#include "networks/builder.h"

#include <cmath>
#include <numbers>

namespace octet {

NetworkBuilder::NetworkBuilder(const NetworkSize& size, uint64_t seed)
    : random_(seed), width_(size.width) {
  input_ =
      graph_.add_input("input", DType::Float32, {-1, size.input[0], size.input[1], size.input[2]});
}

int64_t NetworkBuilder::scaled(int64_t channels) const {
  const double wanted = static_cast<double>(channels) * width_;
  const auto rounded = std::max<int64_t>(8, static_cast<int64_t>(wanted + 4) / 8 * 8);
  return static_cast<double>(rounded) < 0.9 * wanted ? rounded + 8 : rounded;
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

ValueId NetworkBuilder::filled(const std::string& name, int64_t count, float value) {
  Tensor tensor(DType::Float32, {count});
  std::ranges::fill(tensor.as<float>(), value);
  return graph_.add_constant(name, std::move(tensor));
}

ValueId NetworkBuilder::conv(const std::string& name, ValueId x, int64_t out, int64_t kernel,
                             int64_t stride, int64_t groups, bool bias) {
  const Shape in = graph_.value(x).shape;
  const double fan_out = static_cast<double>(kernel * kernel * out / groups);
  std::vector<ValueId> inputs{
      x, weight(name + ".weight", {out, in[1] / groups, kernel, kernel}, std::sqrt(2 / fan_out))};
  if (bias) inputs.push_back(filled(name + ".bias", out, 0));
  const int64_t pad = (kernel - 1) / 2;
  const ValueId made = graph_.add_op("Conv", name, std::move(inputs),
                                     {{"kernel_shape", std::vector{kernel, kernel}},
                                      {"strides", std::vector{stride, stride}},
                                      {"pads", std::vector{pad, pad, pad, pad}},
                                      {"group", groups}});
  const auto extent = [&](int64_t size) { return (size + 2 * pad - kernel) / stride + 1; };
  graph_.value(made).shape = {-1, out, extent(in[2]), extent(in[3])};
  graph_.value(made).shape_known = true;
  return made;
}

ValueId NetworkBuilder::batch_norm(const std::string& name, ValueId x) {
  const int64_t count = channels(x);
  const ValueId made =
      graph_.add_op("BatchNormalization", name,
                    {x, filled(name + ".weight", count, 1), filled(name + ".bias", count, 0),
                     filled(name + ".mean", count, 0), filled(name + ".variance", count, 1)});
  graph_.value(made).shape = Shape(graph_.value(x).shape);
  return made;
}

ValueId NetworkBuilder::activation(const std::string& op, const std::string& name, ValueId x) {
  std::map<std::string, Attribute> attributes;
  if (op == "HardSigmoid") attributes = {{"alpha", 1.0F / 6}, {"beta", 0.5F}};
  const ValueId made = graph_.add_op(op, name, {x}, std::move(attributes));
  graph_.value(made).shape = Shape(graph_.value(x).shape);
  return made;
}

ValueId NetworkBuilder::conv_block(const std::string& name, ValueId x, int64_t out, int64_t kernel,
                                   int64_t stride, int64_t groups, const std::string& act) {
  const ValueId y =
      batch_norm(name + ".norm", conv(name + ".conv", x, out, kernel, stride, groups));
  return act.empty() ? y : activation(act, name + ".act", y);
}

ValueId NetworkBuilder::global_pool(const std::string& name, ValueId x) {
  const ValueId made = graph_.add_op("GlobalAveragePool", name, {x});
  graph_.value(made).shape = {-1, channels(x), 1, 1};
  return made;
}

ValueId NetworkBuilder::squeeze_excite(const std::string& name, ValueId x, int64_t squeezed) {
  ValueId gate = global_pool(name + ".pool", x);
  gate = conv(name + ".squeeze", gate, squeezed, 1, 1, 1, true);
  gate = activation("Relu", name + ".act", gate);
  gate = conv(name + ".excite", gate, channels(x), 1, 1, 1, true);
  gate = activation("HardSigmoid", name + ".gate", gate);
  return binary("Mul", name + ".scale", x, gate);
}

ValueId NetworkBuilder::binary(const std::string& op, const std::string& name, ValueId a,
                               ValueId b) {
  const ValueId made = graph_.add_op(op, name, {a, b});
  graph_.value(made).shape = Shape(graph_.value(a).shape);
  return made;
}

ValueId NetworkBuilder::flatten(const std::string& name, ValueId x) {
  const ValueId made = graph_.add_op("Flatten", name, {x}, {{"axis", int64_t{1}}});
  const Shape in = graph_.value(x).shape;
  graph_.value(made).shape = {-1, in[1] * in[2] * in[3]};
  return made;
}

ValueId NetworkBuilder::linear(const std::string& name, ValueId x, int64_t out) {
  const int64_t in = channels(x);
  const ValueId made = graph_.add_op(
      "Gemm", name,
      {x, weight(name + ".weight", {out, in}, std::sqrt(1.0 / static_cast<double>(in))),
       filled(name + ".bias", out, 0)},
      {{"transB", int64_t{1}}});
  graph_.value(made).shape = {-1, out};
  return made;
}

Graph NetworkBuilder::finish(ValueId logits) {
  const ValueId named = graph_.add_value("logits");
  graph_.swap_names(logits, named);
  graph_.value(logits).shape_known = true;
  graph_.add_output(logits);
  return std::move(graph_);
}

}  // namespace octet
