#include <algorithm>
#include <array>

#include "formats/onnx/graph_writer.h"
#include "formats/onnx/onnx_file.h"
#include "graph/quantize_tensor.h"

// ONNX Runtime 1.23 on real activations: it fuses DynamicQuantizeLinear, MatMulInteger, Cast and
// Mul to one fast product, but its ConvInteger takes uint8 weights of one scale alone and runs
// slower than the convolution in float. So products quantize their input as they go, and weights of
// convolutions are stored as integers that Cast and Mul make real: it folds these when it loads the
// file, as it would not fold a DequantizeLinear.
namespace octet {
namespace {

constexpr int64_t kFloat = 1;  // TensorProto::FLOAT

class Rewriter {
 public:
  Rewriter(Graph graph, const QuantTable& table) : graph_(std::move(graph)), table_(table) {}

  Graph run() {
    for (const NodeId id : std::vector(graph_.order())) {
      const Node& node = graph_.node(id);
      if (node.inputs.size() < 2) continue;
      const QuantParams* params = table_.find(node.inputs[1]);
      if (!params) continue;
      if (fits(node)) {
        product(id, *params);
      } else {
        stored(id, *params);
      }
    }
    graph_.sort();
    return std::move(graph_);
  }

 private:
  /// A product whose matrix is the right operand, plain or transposed.
  static bool fits(const Node& node) {
    if (node.op == "MatMul") return true;
    return node.op == "Gemm" && node.number("alpha", 1) == 1 && node.number("beta", 1) == 1 &&
           node.integer("transA", 0) == 0;
  }

  ValueId scales(const std::string& name, const QuantParams& params, Shape shape) {
    if (params.per_tensor()) shape = {};
    return graph_.add_constant(name, Tensor::of<float>(std::move(shape), params.scale));
  }

  /// Integers, Cast, Mul in the place of a real weight.
  void stored(NodeId id, const QuantParams& params) {
    const ValueId weight = graph_.node(id).inputs[1];
    const std::string name = graph_.value(weight).name;
    const Tensor integers = quantize(*graph_.value(weight).constant, params);
    Shape shape(integers.shape.size(), 1);
    if (!params.per_tensor()) {
      shape[static_cast<size_t>(params.axis)] = static_cast<int64_t>(params.scale.size());
    }
    const ValueId held = graph_.add_constant(name + "_int8", integers);
    const ValueId wide = graph_.add_op("Cast", name + "_wide", {held}, {{"to", kFloat}});
    const ValueId scale = scales(name + "_scale", params, std::move(shape));
    graph_.node(id).inputs[1] = graph_.add_op("Mul", name + "_real", {wide, scale});
  }

  /// x W (+ b) as MatMulInteger of what DynamicQuantizeLinear makes of x.
  void product(NodeId id, const QuantParams& params) {
    const Node node = graph_.node(id);
    const size_t before = graph_.order().size();
    const ValueId weight = integer_matrix(node, params);
    const auto columns = static_cast<int64_t>(params.scale.size());
    const ValueId scale = scales(node.name + "/weight_scale", params, {columns});
    Node quantizer{.name = node.name + "/quantize",
                   .op = "DynamicQuantizeLinear",
                   .inputs = {node.inputs[0]},
                   .outputs = {},
                   .attributes = {}};
    for (const char* part : {"/integer", "/scale", "/zero_point"}) {
      quantizer.outputs.push_back(graph_.add_value(node.name + part));
    }
    const std::vector<ValueId> made = quantizer.outputs;
    graph_.add_node(std::move(quantizer));
    const ValueId sums =
        graph_.add_op("MatMulInteger", node.name + "/sums", {made[0], weight, made[2]});
    const ValueId real = graph_.add_op("Cast", node.name + "/wide", {sums}, {{"to", kFloat}});
    const ValueId both = graph_.add_op("Mul", node.name + "/scales", {made[1], scale});
    ValueId result = graph_.add_op("Mul", node.name + "/real", {real, both});
    if (node.input(2) != kAbsent) {
      result = graph_.add_op("Add", node.name + "/biased", {result, node.inputs[2]});
    }
    take_place(id, node.outputs[0], result, before);
  }

  ValueId integer_matrix(const Node& node, const QuantParams& params) {
    const Value& weight = graph_.value(node.inputs[1]);
    Tensor integers = quantize(*weight.constant, params);
    if (node.integer("transB", 0) != 0) integers = transposed(integers);
    return graph_.add_constant(weight.name + "_int8", std::move(integers));
  }

  static Tensor transposed(const Tensor& matrix) {
    const auto rows = static_cast<size_t>(matrix.shape[0]);
    const auto columns = static_cast<size_t>(matrix.shape[1]);
    Tensor out(matrix.dtype, {matrix.shape[1], matrix.shape[0]});
    for (size_t r = 0; r < rows; ++r) {
      for (size_t c = 0; c < columns; ++c) {
        out.as<int8_t>()[c * rows + r] = matrix.as<int8_t>()[r * columns + c];
      }
    }
    return out;
  }

  void take_place(NodeId id, ValueId old, ValueId result, size_t before) {
    graph_.value(result).dtype = DType::Float32;
    graph_.value(result).shape = graph_.value(old).shape;
    graph_.value(result).shape_known = graph_.value(old).shape_known;
    graph_.replace_uses(old, result);
    graph_.swap_names(old, result);
    graph_.splice(id, before);
  }

  Graph graph_;
  const QuantTable& table_;
};

}  // namespace

std::vector<std::byte> write_dynamic_onnx(const Graph& graph, const QuantTable& table,
                                          const FileForm& form) {
  const Graph rewritten = Rewriter(graph, table).run();
  FloatWriter writer(rewritten);
  writer.add_properties(form.properties);
  return writer.write();
}

}  // namespace octet
