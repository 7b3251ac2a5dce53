#pragma once

#include <format>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/fail.h"
#include "formats/tflite/layout.h"
#include "formats/tflite/model.h"
#include "graph/graph.h"
#include "graph/quant_table.h"

namespace octet::lite {

/// Makes the operator list of a network: float inputs, QUANTIZE, one lowering per node,
/// DEQUANTIZE. Throws Code::Unsupported as `write_tflite` does.
LiteModel lower(const Graph& graph, const QuantTable& table);

/// What the lowerings of one network share. A lowering asks for its inputs in the order that its
/// operator wants, makes its output, and emits the operator; changes of layout come by themselves.
class Lowering {
 public:
  Lowering(const Graph& graph, const QuantTable& table);
  LiteModel run();

  const Graph& graph() const { return graph_; }
  /// Shape of a value for one image, in the graph's order.
  const Shape& shape(ValueId id) const { return shapes_[static_cast<size_t>(id)]; }
  /// The order that a node of `Need::Any` works in.
  Order order(const Node& node) const { return layouts_.of(result(node)); }
  Order order_of(ValueId id) const { return layouts_.of(id); }
  /// The value that the node's operator writes: its output, or that of the activation that it
  /// takes in.
  ValueId result(const Node& node) const;
  /// The value's parameters; Code::Unsupported naming the node when it has none.
  const QuantParams& grid(const Node& node, ValueId id) const;
  const QuantParams* find_grid(ValueId id) const { return table_.find(id); }

  /// Tensor of a data input (a constant or an activation) in an order. With `rank`, dimensions of
  /// one are put in front of the graph's shape first, as broadcasting does.
  int input(const Node& node, size_t index, Order order, size_t rank = 0);
  /// New tensor of the node's result, which the operator writes in this order.
  int output(const Node& node, Order order);
  /// New tensor for a value inside a lowering, on a grid; `shape` as it lies in the file.
  int inner(const std::string& name, const Shape& shape, const QuantParams& params);
  /// New constant of integers on a grid. `axis` replaces the one of the parameters.
  int constant(const std::string& name, Tensor integers, const QuantParams& params, int axis = 0);
  /// New constant of int32 numbers; without `shape`, a vector.
  int numbers(const std::string& name, std::span<const int64_t> values, Shape shape = {});
  /// The node's bias as a vector of `count` int32 numbers: input `index`, or zeros.
  int bias(const Node& node, size_t index, const QuantParams& weight, int64_t count);

  /// The activation that the operator applies itself. NONE too where the grid of its result
  /// saturates at the bounds; refuses others, and all others when not `fuses`.
  tflite::ActivationFunctionType activation(const Node& node, bool fuses = true) const;

  void emit(tflite::BuiltinOperator code, int version, tflite::BuiltinOptionsUnion options,
            std::vector<int> inputs, std::vector<int> outputs);
  void emit_reshape(int from, int to) { model_.ops.push_back(reshape_op(model_, from, to)); }
  void emit_transpose(int from, int to, std::span<const int64_t> permutation) {
    model_.ops.push_back(transpose_op(model_, from, to, permutation));
  }

 private:
  void take_in_activations();
  void add_inputs();
  void lower_node(const Node& node);
  void check_moves(const Node& node) const;
  void add_outputs();
  int computed(ValueId id, Order order, size_t rank);
  int constant_operand(const Node& node, ValueId id, Order order, size_t rank);

  const Graph& graph_;
  const QuantTable& table_;
  std::vector<Shape> shapes_;
  Layouts layouts_;
  LiteModel model_;
  std::map<const Node*, const Node*> taken_in_;  ///< producer -> its activation
  std::set<const Node*> done_;                   ///< activations that their producers take in
  std::map<ValueId, std::pair<int, Order>> made_;
  std::map<std::tuple<ValueId, Order, size_t>, int> moved_;  ///< other orders and ranks of those
};

/// What TFLite says for one ONNX operator.
struct Row {
  std::string_view op;
  Need (*need)(const Graph& graph, const Node& node);
  void (*lower)(Lowering& to, const Node& node);
};

std::span<const Row> activation_rows();
std::span<const Row> conv_rows();
std::span<const Row> elementwise_rows();
std::span<const Row> layout_rows();
std::span<const Row> matmul_rows();
std::span<const Row> pool_rows();
std::span<const Row> reduce_rows();

// Answers to `Row::need`.
Need image(const Graph& graph, const Node& node);
Need onnx(const Graph& graph, const Node& node);
Need any(const Graph& graph, const Node& node);

/// Throws Code::Unsupported: "tflite: node "x" (Op): reason".
template <class... Args>
[[noreturn]] void refuse(const Node& node, std::format_string<Args...> format, Args&&... args) {
  fail(Code::Unsupported, "tflite: {}: {}", describe(node),
       std::format(format, std::forward<Args>(args)...));
}

/// The integers of `params` end where the bounds do, so that saturation is the activation.
bool saturates(const QuantParams& params, std::pair<float, float> bounds);

/// RELU, RELU6 or RELU_N1_TO_1 where the bounds are theirs, NONE where there are none; nullopt
/// for others.
std::optional<tflite::ActivationFunctionType> activation_for(std::pair<float, float> bounds);

}  // namespace octet::lite
