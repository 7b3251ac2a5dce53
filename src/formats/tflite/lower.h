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
#include "formats/file_form.h"
#include "formats/tflite/layout.h"
#include "formats/tflite/model.h"
#include "graph/graph.h"
#include "graph/quant_table.h"

namespace octet::lite {

/// What flows between the operators of a file.
enum class Arithmetic : uint8_t {
  Integer,  ///< values on the grids of the table; floats between the nodes that it puts in float
  Real,     ///< floats; the table has weights alone
};

/// The parameters of what stays float32.
inline const QuantParams kReal{.type = DType::Float32, .scale = {}, .zero_point = {}};

/// Makes the operator list of a network: float inputs, QUANTIZE, one lowering per node,
/// DEQUANTIZE; or integers at the ends; without these where the values are real. Around a node in
/// float stand DEQUANTIZE, of what it reads in integers, and QUANTIZE, of what it makes. Throws
/// Code::Unsupported as `write_tflite` does.
LiteModel lower(const Graph& graph, const QuantTable& table, Arithmetic arithmetic,
                Io io = Io::Float);

/// There is a lowering of the operator on real values.
bool lowers_real(std::string_view op);

struct Row;

/// What the lowerings of one network share. A lowering asks for its inputs in the order that its
/// operator wants, makes its output, and emits the operator; changes of layout come by themselves.
class Lowering {
 public:
  Lowering(const Graph& graph, const QuantTable& table, Arithmetic arithmetic, Io io);
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
  /// The node computes on real numbers.
  bool real(const Node& node) const {
    return arithmetic_ == Arithmetic::Real || in_float_.contains(&node);
  }
  /// The weights of real nodes are integers, for kernels that round what they read.
  bool dynamic() const { return arithmetic_ == Arithmetic::Real; }
  /// The parameters of the value as the node sees it: `kReal` where it computes on real numbers,
  /// but for weights of dynamic files. Code::Unsupported naming the node when there are none.
  const QuantParams& grid(const Node& node, ValueId id) const;
  const QuantParams* find_grid(ValueId id) const { return table_.find(id); }

  /// Tensor of a computed value's integers in an order.
  int tensor_of(ValueId id, Order order) {
    return computed(id, shape(id).size() == 4 ? order : Order::Onnx, shape(id).size());
  }
  /// Shape of a tensor as it lies in the file.
  Shape in_file(int tensor) const { return model_.tensor(tensor).shape; }
  /// New tensor of whole numbers inside a lowering.
  int inner_int32(const std::string& name, const Shape& shape) {
    return model_.add({.name = name, .type = DType::Int32, .shape = shape});
  }
  /// Tensor of a data input (a constant or an activation) in an order. With `rank`, dimensions of
  /// one are put in front of the graph's shape first, as broadcasting does.
  int input(const Node& node, size_t index, Order order, size_t rank = 0);
  /// Constant of truth values behind an input, as `input` makes one of data. Refuses computed ones.
  int condition(const Node& node, size_t index, Order order, size_t rank);
  /// New tensor of the node's result (of output `index` where that is not the first), which the
  /// operator writes in this order.
  int output(const Node& node, Order order, size_t index = 0);
  /// New tensor inside a lowering, on a grid; `shape` as it lies in the file. `value`: whose
  /// integers it has (LiteTensor::value).
  int inner(const std::string& name, const Shape& shape, const QuantParams& params,
            ValueId value = kAbsent);
  /// New constant of one real number.
  int real_number(const std::string& name, float number) {
    return constant(name, Tensor::of<float>({1}, std::span(&number, 1)), kReal);
  }
  /// New constant of the smallest number of a type.
  int lowest_number(const std::string& name, const QuantParams& params);
  /// A tensor as an operator can read it that computes in float: itself, or dequantized, once.
  int dequantized(int tensor);
  /// New constant of integers on a grid. `axis` replaces the one of the parameters.
  int constant(const std::string& name, Tensor integers, const QuantParams& params, int axis = 0);
  /// The same, of a constant of the graph.
  int constant(ValueId id, Tensor integers, const QuantParams& params, int axis = 0);
  /// New constant of int32 numbers; without `shape`, a vector.
  int numbers(const std::string& name, std::span<const int64_t> values,
              const std::optional<Shape>& shape = std::nullopt);
  /// The indices that were made of a tensor's integers, for all tables that look them up.
  std::optional<int>& indices(int source) { return indices_[source]; }
  /// Tensor of an input of whole numbers that count along `extent` elements. Constants below zero
  /// count from the end.
  int indices(const Node& node, size_t index, int64_t extent);
  /// The integers of the node's constant weight (real numbers where it has none). Refuses what
  /// TFLite's quantization specification does not allow: a zero point other than 0, and -128.
  Tensor weight(const Node& node, size_t index) const;
  /// The node's bias as a vector of `count` int32 numbers (int64 for 16-bit activations): input
  /// `index`, or zeros.
  int bias(const Node& node, size_t index, const QuantParams& weight, int64_t count);

  /// The activation that the operator applies itself. NONE too where the grid of its result
  /// saturates at the bounds; refuses others, and all others when not `fuses`.
  tflite::ActivationFunctionType activation(const Node& node, bool fuses = true) const;

  void emit(tflite::BuiltinOperator code, int version, tflite::BuiltinOptionsUnion options,
            std::vector<int> inputs, std::vector<int> outputs);
  void emit_reshape(int from, int to) { model_.ops.push_back(reshape_op(model_, from, to)); }
  /// GATHER along an axis (as it lies in the file).
  void emit_gather(int from, int indices, int64_t axis, int to) {
    tflite::GatherOptionsT options;
    options.axis = static_cast<int32_t>(axis);
    emit(tflite::BuiltinOperator_GATHER, 2, options_of(options), {from, indices}, {to});
  }
  void emit_transpose(int from, int to, std::span<const int64_t> permutation) {
    model_.ops.push_back(transpose_op(model_, from, to, permutation));
  }

 private:
  const Row& row_of(const Node& node) const;
  void take_in_activations();
  void add_inputs();
  bool read_as_real(ValueId id) const;
  /// The tensor at an end of the file that stands for these integers: themselves, or a tensor of
  /// the type that stands there.
  int end_of(const std::string& name, int integers, const QuantParams& params);
  Need need_of(NodeId id) const;
  void lower_node(NodeId id);
  /// QUANTIZE of what a node in float has made, where the table has entries.
  void round_results();
  /// The node makes something that flows in the file; others compute with shapes, which are known.
  bool flows(const Node& node) const;
  void check_moves(const Node& node) const;
  void check_output(const Node& node, const Row& row) const;
  void add_outputs();
  int computed(ValueId id, Order order, size_t rank);
  int constant_operand(const Node& node, ValueId id, Order order, size_t rank);
  /// The integers of a constant, or its real numbers, as the node sees them.
  Tensor seen_by(const Node& node, ValueId id) const;

  const Graph& graph_;
  const QuantTable& table_;
  Arithmetic arithmetic_;
  Io io_;
  std::set<const Node*> in_float_;
  std::set<NodeId> looked_up_;  ///< nodes that a table stands for
  std::vector<Shape> shapes_;
  Layouts layouts_;
  LiteModel model_;
  std::map<const Node*, const Node*> taken_in_;  ///< producer -> its activation
  std::set<const Node*> done_;                   ///< activations that their producers take in
  std::map<ValueId, std::pair<int, Order>> made_;
  std::map<int, std::optional<int>> indices_;
  /// Other orders and ranks of those, and of constants; those that real nodes read apart.
  std::map<std::tuple<ValueId, Order, size_t, bool>, int> moved_;
  std::map<int, int> dequantized_;
  /// What a node in float makes, with the value that it is to become.
  struct Unrounded {
    int tensor;
    ValueId value;
    Order order;
  };
  std::vector<Unrounded> unrounded_;
};

/// What TFLite says for one ONNX operator.
struct Row {
  std::string_view op;
  Need (*need)(const Graph& graph, const Node& node);
  void (*lower)(Lowering& to, const Node& node);
  /// Of a pointwise operator: TFLite's kernel knows the node's attributes; a table computes others.
  bool (*fits)(const Node& node) = nullptr;
  /// The one grid that the 8-bit kernel writes; scale 0: any. A table makes other ones, where one
  /// can.
  float scale = 0;
  int32_t zero_point = 0;
  /// TFLite 2.14 lacks the kernel: where a table was placed, it is for such runtimes.
  bool newer = false;
};

std::span<const Row> activation_rows();
std::span<const Row> conv_rows();
std::span<const Row> elementwise_rows();
std::span<const Row> float_rows();  ///< of real values alone
std::span<const Row> gather_rows();
std::span<const Row> layout_rows();
std::span<const Row> matmul_rows();
std::span<const Row> pool_rows();
std::span<const Row> reduce_rows();
std::span<const Row> resize_rows();
std::span<const Row> slice_rows();

/// The result of `node` by a table of the integers of the value `source`: CAST, ADD, GATHER.
void lower_lookup(Lowering& to, const Node& node, const Lookup& lookup);

// Answers to `Row::need`.
Need image(const Graph& graph, const Node& node);
Need onnx(const Graph& graph, const Node& node);
Need any(const Graph& graph, const Node& node);

/// The whole numbers of a constant input; `fallback` where it is not given. Refuses computed ones.
std::vector<int64_t> parameter(const Lowering& to, const Node& node, size_t index,
                               std::vector<int64_t> fallback = {});

/// 0, 1, ... count - 1.
std::vector<int64_t> counting(size_t count);

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
