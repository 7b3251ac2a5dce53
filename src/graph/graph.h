#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "graph/tensor.h"

namespace octet {

/// Index of a value in its graph; stays valid for the life of the graph. `kAbsent` stands for an
/// optional input that is not given.
using ValueId = int32_t;
inline constexpr ValueId kAbsent = -1;

/// Index of a node in its graph; stays valid for the life of the graph.
using NodeId = int32_t;

using Attribute = std::variant<int64_t, float, std::string, std::vector<int64_t>,
                               std::vector<float>, std::vector<std::string>, Tensor>;

/// A tensor that flows: a graph input, a constant, or the output of a node.
struct Value {
  std::string name;  ///< the source model's, unique in the graph
  DType dtype = DType::Float32;
  Shape shape;                     ///< dimensions below zero depend on the batch
  bool shape_known = false;        ///< the rank and all but the batch are known
  std::optional<Tensor> constant;  ///< a constant's data
  bool fixed = false;              ///< of a constant: part of what is computed, not learnt
  bool normalizes = false;         ///< of a bias: a BatchNormalization was folded into its node
};

/// One ONNX operator of the default domain at opset `kOpset`.
struct Node {
  std::string name;  ///< unique in the graph
  std::string op;    ///< ONNX operator name: "Conv"
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::map<std::string, Attribute> attributes;

  bool has(std::string_view attribute) const;
  int64_t integer(std::string_view attribute, int64_t fallback) const;
  float number(std::string_view attribute, float fallback) const;
  std::string text(std::string_view attribute, std::string_view fallback) const;
  std::vector<int64_t> integers(std::string_view attribute,
                                std::vector<int64_t> fallback = {}) const;
  /// Input `index`, or `kAbsent` where it is not given.
  ValueId input(size_t index) const { return index < inputs.size() ? inputs[index] : kAbsent; }
};

/// The ONNX opset that every graph is in.
inline constexpr int64_t kOpset = 21;

/// A network: nodes in topological order over named values. Structure and constants only: nothing
/// here runs, reads files or knows of quantization.
class Graph {
 public:
  std::string name = "octet";

  ValueId add_input(std::string value_name, DType dtype, Shape shape);
  ValueId add_constant(std::string value_name, Tensor tensor);
  /// A value of which only the name is known yet. Names are made unique by a suffix.
  ValueId add_value(std::string value_name);
  /// Appends at the end of the order. Its output values must not have a producer yet.
  NodeId add_node(Node node);
  /// Appends a node with one new output, named after the node.
  ValueId add_op(std::string op, std::string node_name, std::vector<ValueId> inputs,
                 std::map<std::string, Attribute> attributes = {});
  void add_output(ValueId value) { outputs_.push_back(value); }

  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<ValueId>& outputs() const { return outputs_; }
  /// Live nodes, each after the producers of its inputs.
  const std::vector<NodeId>& order() const { return order_; }

  size_t value_count() const { return values_.size(); }
  const Value& value(ValueId id) const { return values_[static_cast<size_t>(id)]; }
  Value& value(ValueId id) { return values_[static_cast<size_t>(id)]; }
  const Node& node(NodeId id) const { return nodes_[static_cast<size_t>(id)]; }
  Node& node(NodeId id) { return nodes_[static_cast<size_t>(id)]; }

  bool is_constant(ValueId id) const { return id != kAbsent && value(id).constant.has_value(); }
  /// The constant behind input `index` of the node; nullptr when it is absent or computed.
  const Tensor* constant_input(const Node& node, size_t index) const;
  bool is_output(ValueId id) const;
  /// The node that makes the value; nullopt for inputs and constants.
  std::optional<NodeId> producer(ValueId id) const;
  /// Live nodes that read the value, in order, each once.
  std::vector<NodeId> users(ValueId id) const;

  /// Every reader of `from` (and the graph outputs) reads `to` from now on.
  void replace_uses(ValueId from, ValueId to);
  /// Puts nodes that were just appended (`add_node`, `add_op` since `order().size()` was `count`)
  /// in the place of `replaced`, which leaves the order.
  void splice(NodeId replaced, size_t count);
  void remove(NodeId node);
  /// The two values trade their names: how a value takes over the name of a graph output.
  void swap_names(ValueId a, ValueId b);
  /// Removes nodes whose outputs nobody reads. Returns how many.
  size_t remove_dead();
  /// Sorts the order topologically (stable). Throws Code::Model naming a node of a cycle, or a
  /// value that nobody makes.
  void sort();

  /// The value with this name; nullopt when there is none.
  std::optional<ValueId> find(std::string_view value_name) const;

 private:
  std::string unique(std::string wanted) const;
  ValueId push(Value value);

  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<NodeId> order_;
  std::vector<ValueId> inputs_;
  std::vector<ValueId> outputs_;
  std::map<std::string, ValueId, std::less<>> names_;
};

/// "node \"/layer1/conv\" (Conv)": how messages name a node.
std::string describe(const Node& node);

}  // namespace octet
