#pragma once

#include <algorithm>
#include <format>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "ops/op_def.h"
#include "support/graph_builder.h"

namespace octet::test {

/// One input of an example: what flows, a constant of the graph, or an optional input not given.
struct Operand {
  enum class Kind { Input, Constant, Absent };
  Kind kind = Kind::Absent;
  Tensor tensor;
};

/// A node on its own, with data to run it on.
struct OpExample {
  std::string_view op;
  std::string_view what;
  std::vector<Operand> inputs;
  std::map<std::string, Attribute> attributes = {};
  int outputs = 1;  ///< as many as the node names
  /// What the outputs have to be where ONNX Runtime 1.23 has no such operator, or none for the
  /// type or for opset 21: a scalar twin.
  std::vector<Tensor> (*reference)(const OpExample&) = nullptr;
  bool smooth = true;  ///< false: the data lies on a kink or a step, where there is no slope

  std::string title() const { return std::format("{}: {}", op, what); }
};

/// The example as a graph of one node: its inputs are "in0", "in1", ..., its outputs "out0", ....
inline Graph graph_of(const OpExample& example) {
  Graph graph;
  Node node{.name = "node", .op = std::string(example.op), .attributes = example.attributes};
  for (size_t i = 0; i < example.inputs.size(); ++i) {
    const auto& [kind, tensor] = example.inputs[i];
    const std::string name = "in" + std::to_string(i);
    ValueId id = kAbsent;
    if (kind == Operand::Kind::Input) id = graph.add_input(name, tensor.dtype, tensor.shape);
    if (kind == Operand::Kind::Constant) id = graph.add_constant(name, tensor);
    node.inputs.push_back(id);
  }
  for (int i = 0; i < example.outputs; ++i) {
    node.outputs.push_back(graph.add_value("out" + std::to_string(i)));
    graph.add_output(node.outputs.back());
  }
  graph.add_node(node);
  return graph;
}

using L = std::vector<int64_t>;

inline unsigned next_seed() {
  static unsigned seed = 0;
  return ++seed;
}
/// Data that flows; for the operators of interest [-4, 4] reaches every piece of their curves.
inline Operand x(Shape shape, float low = -4, float high = 4) {
  return {Operand::Kind::Input, random_tensor(std::move(shape), next_seed(), low, high)};
}
/// A float constant.
inline Operand c(Shape shape, float low = -1, float high = 1) {
  return {Operand::Kind::Constant, random_tensor(std::move(shape), next_seed(), low, high)};
}
inline Operand scalar(float value) { return {Operand::Kind::Constant, Tensor::scalar(value)}; }
/// A constant list: axes, a shape, pads.
inline Operand list(L values) { return {Operand::Kind::Constant, Tensor::vector(values)}; }
/// Whole numbers that flow.
inline Operand whole(L values) { return {Operand::Kind::Input, Tensor::vector(values)}; }
inline Operand absent() { return {}; }

inline at::ScalarType torch_type(DType type) { return to_torch(Tensor(type, {0})).scalar_type(); }
/// The operand in another element type; numbers are cut to whole ones for integers, and are true
/// above zero.
inline Operand as(DType type, Operand operand) {
  at::Tensor numbers = to_torch(operand.tensor);
  if (type == DType::Bool) numbers = numbers > 0;
  operand.tensor = from_torch(numbers.to(torch_type(type)));
  return operand;
}
inline Operand f16(Operand operand) { return as(DType::Float16, std::move(operand)); }
inline Operand f64(Operand operand) { return as(DType::Float64, std::move(operand)); }

/// Any tensor's elements as doubles, row by row: what scalar twins and comparisons read.
inline std::vector<double> numbers_of(const Tensor& tensor) {
  const Tensor wide = from_torch(to_torch(tensor).to(at::kDouble));
  const auto values = wide.as<double>();
  return {values.begin(), values.end()};
}
/// A float tensor of these numbers.
inline Tensor floats(Shape shape, const std::vector<double>& values) {
  Tensor tensor(DType::Float32, std::move(shape));
  std::ranges::transform(values, tensor.as<float>().begin(),
                         [](double value) { return static_cast<float>(value); });
  return tensor;
}

}  // namespace octet::test
