#pragma once

#include <format>
#include <functional>
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

  std::string title() const { return std::format("{}: {}", op, what); }
};

/// The example as a graph of one node: its inputs are "in0", "in1", ..., its output is "out".
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
  node.outputs = {graph.add_value("out")};
  graph.add_node(node);
  graph.add_output(node.outputs[0]);
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

}  // namespace octet::test
