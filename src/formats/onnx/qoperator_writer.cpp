// QOperator form: the operators on integers that ONNX Runtime 1.23 has CPU kernels of, and into
// which its optimizer turns the QDQ form.
#include <algorithm>
#include <array>
#include <cmath>

#include "formats/onnx/qdq_writer.h"

namespace octet {
namespace {

const std::string kContrib = "com.microsoft";

/// Operators that ONNX Runtime runs on integers as they are; operands and results are on one grid.
constexpr std::array<std::string_view, 13> kMoving{
    "DepthToSpace", "Expand", "Flatten", "Gather",    "MaxPool", "Reshape",  "Resize",
    "Slice",        "Split",  "Squeeze", "Transpose", "Tile",    "Unsqueeze"};

class QOperatorWriter final : public QdqWriter {
 public:
  using QdqWriter::QdqWriter;

 private:
  using Names = std::vector<std::string>;
  struct Row {
    std::string_view op;
    std::string name;
    std::string domain;
    /// The inputs of the operator without the grid of its result, which `result` adds at the end.
    Names (QOperatorWriter::*inputs)(const Node& node);
    std::vector<std::string_view> attributes;  ///< those that it takes over
  };

  static const std::vector<Row>& rows() {
    using W = QOperatorWriter;
    static const std::vector<Row> all{
        {"Conv",
         "QLinearConv",
         "",
         &W::two,
         {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"}},
        {"MatMul", "QLinearMatMul", "", &W::two, {}},
        {"Gemm", "QGemm", kContrib, &W::product, {"alpha", "transA", "transB"}},
        {"Add", "QLinearAdd", kContrib, &W::two, {}},
        {"Mul", "QLinearMul", kContrib, &W::two, {}},
        {"GlobalAveragePool", "QLinearGlobalAveragePool", kContrib, &W::one, {}},
        {"AveragePool",
         "QLinearAveragePool",
         kContrib,
         &W::one,
         {"auto_pad", "ceil_mode", "count_include_pad", "kernel_shape", "pads", "strides"}},
        {"Sigmoid", "QLinearSigmoid", kContrib, &W::one, {}},
        {"LeakyRelu", "QLinearLeakyRelu", kContrib, &W::one, {"alpha"}},
        {"Softmax", "QLinearSoftmax", kContrib, &W::one, {"axis"}},
        {"Where", "QLinearWhere", kContrib, &W::choice, {}},
    };
    return all;
  }

  bool write_operator(const Node& node) override {
    if (done_.contains(&node)) return true;
    if (write_moving(node)) return true;
    if (node.op == "Concat") return write_concat(node);
    const auto row = std::ranges::find(rows(), node.op, &Row::op);
    if (row == rows().end() || !fits(node)) return false;
    const Node* clip = find_grid(node.outputs[0]) ? nullptr : taken_in(node);
    const ValueId out = (clip ? *clip : node).outputs[0];
    if (!find_grid(out)) return false;
    Names inputs = (this->*row->inputs)(node);
    const Names grid = grid_of(out);
    inputs.insert(inputs.end(), grid.begin(), grid.end());
    if (row->name == "QLinearConv" && node.input(2) != kAbsent) {
      inputs.push_back(integers(node.inputs[2]));
    }
    emit(*row, node, inputs, out);
    if (clip) done_.insert(clip);
    return true;
  }

  void emit(const Row& row, const Node& node, const Names& inputs, ValueId out) {
    onnx::NodeProto& made =
        row.domain.empty()
            ? add_node(row.name, node.name, inputs, {integers_of(out)})
            : add_node_of(row.domain, row.name, node.name, inputs, {integers_of(out)});
    for (const auto& [attribute, held] : node.attributes) {
      if (std::ranges::contains(row.attributes, std::string_view(attribute))) {
        write_attribute(attribute, held, made);
      }
    }
    if (node.op == "Softmax") write_attribute("opset", kOpset, made);
    made_integers(out);
  }

  /// All that the operator reads and ONNX Runtime's has no float for is integers.
  bool fits(const Node& node) const {
    const auto quantized = [&](size_t index) {
      const ValueId id = node.input(index);
      return id == kAbsent || graph_.value(id).dtype != DType::Float32 || find_grid(id);
    };
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!quantized(i)) return false;
    }
    const bool alone = node.op == "AveragePool" || node.op == "Gemm" || node.op == "MatMul";
    return !alone || (node.op == "AveragePool" ? dilation_is_one(node) : product_fits(node));
  }

  static bool dilation_is_one(const Node& node) {
    return std::ranges::all_of(node.integers("dilations"), [](int64_t d) { return d == 1; });
  }
  bool product_fits(const Node& node) const {
    if (node.op == "Gemm") return node.input(2) == kAbsent || node.number("beta", 1) == 1;
    const ValueId weight = node.inputs.at(1);
    return find_grid(weight)->per_tensor() || graph_.value(weight).shape.size() == 2;
  }

  /// The activation whose clipping the saturation of the operator's result is; nullptr: none.
  const Node* taken_in(const Node& node) const {
    const auto users = graph_.users(node.outputs[0]);
    if (users.size() != 1) return nullptr;
    const Node& user = graph_.node(users[0]);
    const auto* clip = std::get_if<Absorbable>(&op_of(user).quant.value);
    const QuantParams* grid = clip ? find_grid(user.outputs[0]) : nullptr;
    if (!grid) return nullptr;
    const auto [low, high] = clip->bounds(graph_, user);
    const double zero = grid->zero_point[0];
    const bool ends = std::nearbyint(low / grid->scale[0] + zero) <= grid->low &&
                      std::nearbyint(high / grid->scale[0] + zero) >= grid->high;
    return ends ? &user : nullptr;
  }

  Names grid_of(ValueId id) {
    const auto [scale, zero_point] = params_of(id);
    return {scale, zero_point};
  }
  Names operand(ValueId id) {
    Names names{integers(id)};
    names.append_range(grid_of(id));
    return names;
  }
  Names one(const Node& node) { return operand(node.inputs[0]); }
  Names two(const Node& node) {
    Names names = operand(node.inputs[0]);
    names.append_range(operand(node.inputs.at(1)));
    return names;
  }
  Names product(const Node& node) {
    Names names = two(node);
    names.push_back(node.input(2) == kAbsent ? "" : integers(node.inputs[2]));
    return names;
  }
  Names choice(const Node& node) {
    Names names{reader(node.inputs[0])};
    for (const size_t i : {1, 2}) names.append_range(operand(node.inputs.at(i)));
    return names;
  }

  bool write_concat(const Node& node) {
    const ValueId out = node.outputs[0];
    if (!fits(node) || !find_grid(out)) return false;
    Names inputs = grid_of(out);
    for (const ValueId in : node.inputs) inputs.append_range(operand(in));
    emit({"Concat", "QLinearConcat", kContrib, nullptr, {"axis"}}, node, inputs, out);
    return true;
  }

  bool write_moving(const Node& node) {
    if (!std::ranges::contains(kMoving, std::string_view(node.op))) return false;
    const ValueId source = node.inputs[0];
    const auto on_grid = [&](ValueId id) {
      const QuantParams* own = find_grid(id);
      const QuantParams* from = find_grid(source);
      return own && from && own->scale == from->scale && own->zero_point == from->zero_point;
    };
    if (!std::ranges::all_of(node.outputs, on_grid)) return false;
    Names inputs{integers(source)};
    for (size_t i = 1; i < node.inputs.size(); ++i) inputs.push_back(reader(node.inputs[i]));
    Names outputs;
    for (const ValueId out : node.outputs) outputs.push_back(integers_of(out));
    write_node(node, inputs, outputs);
    for (const ValueId out : node.outputs) made_integers(out);
    return true;
  }

  std::set<const Node*> done_;  ///< activations that the operator before them has taken in
};

}  // namespace

std::unique_ptr<QdqWriter> qoperator_writer(const Graph& graph, const QuantTable& table,
                                            const FileForm& form) {
  return std::make_unique<QOperatorWriter>(graph, table, form);
}

}  // namespace octet
