// ONNX Runtime's operators on integers, as the float operators that they stand for. Inputs and
// their order: onnx's Operators.md and ONNX Runtime's ContribOperators.md.
#include <array>

#include "base/fail.h"
#include "formats/onnx/importer.h"

namespace octet {
namespace {

using Attributes = std::map<std::string, Attribute>;

Attributes without(const Node& node, std::string_view attribute) {
  Attributes kept = node.attributes;
  kept.erase(std::string(attribute));
  return kept;
}

void refuse_channels_last(const Node& node) {
  if (node.integer("channels_last", 0) == 0) return;
  fail(Code::Unsupported, "{}: channels_last is 1; wanted images as ONNX has them, NxCxHxW",
       describe(node));
}

void import_conv(Importer& to, const Node& node) {
  refuse_channels_last(node);
  const FileGrid x = to.operand_grid(node, 0, 1);
  const FileGrid w = to.operand_grid(node, 3, 4);
  const ValueId bias = to.bias(node, 8, x, w);
  std::vector<ValueId> inputs{to.operand(node, 0, x), to.operand(node, 3, w)};
  if (bias != kAbsent) inputs.push_back(bias);
  to.result(node, "Conv", inputs, without(node, "channels_last"), to.result_grid(node, 6));
}

void import_matmul(Importer& to, const Node& node) {
  const FileGrid a = to.operand_grid(node, 0, 1);
  const FileGrid b = to.operand_grid(node, 3, 4, -1);
  to.result(node, "MatMul", {to.operand(node, 0, a), to.operand(node, 3, b)}, {},
            to.result_grid(node, 6));
}

void import_gemm(Importer& to, const Node& node) {
  if (node.input(7) == kAbsent) {
    fail(Code::Unsupported,
         "{}: its result is float, for it has no scale; convert a network whose results are "
         "quantized",
         describe(node));
  }
  const FileGrid a = to.operand_grid(node, 0, 1);
  const FileGrid b = to.operand_grid(node, 3, 4, node.integer("transB", 0) != 0 ? 0 : 1);
  const ValueId bias = to.bias(node, 6, a, b, node.number("alpha", 1));
  std::vector<ValueId> inputs{to.operand(node, 0, a), to.operand(node, 3, b)};
  if (bias != kAbsent) inputs.push_back(bias);
  to.result(node, "Gemm", inputs, node.attributes, to.result_grid(node, 7));
}

void import_two(Importer& to, const Node& node, std::string op) {
  const FileGrid a = to.operand_grid(node, 0, 1);
  const FileGrid b = to.operand_grid(node, 3, 4);
  to.result(node, std::move(op), {to.operand(node, 0, a), to.operand(node, 3, b)}, {},
            to.result_grid(node, 6));
}
void import_add(Importer& to, const Node& node) { import_two(to, node, "Add"); }
void import_mul(Importer& to, const Node& node) { import_two(to, node, "Mul"); }

void import_one(Importer& to, const Node& node, std::string op, Attributes attributes) {
  const FileGrid x = to.operand_grid(node, 0, 1);
  to.result(node, std::move(op), {to.operand(node, 0, x)}, std::move(attributes),
            to.result_grid(node, 3));
}
void import_sigmoid(Importer& to, const Node& node) { import_one(to, node, "Sigmoid", {}); }
void import_leaky_relu(Importer& to, const Node& node) {
  import_one(to, node, "LeakyRelu", node.attributes);
}
void import_global_average_pool(Importer& to, const Node& node) {
  refuse_channels_last(node);
  import_one(to, node, "GlobalAveragePool", {});
}
void import_average_pool(Importer& to, const Node& node) {
  refuse_channels_last(node);
  import_one(to, node, "AveragePool", without(node, "channels_last"));
}

void import_softmax(Importer& to, const Node& node) {
  constexpr int64_t kOneAxis = 13;  // before, Softmax took all dimensions from the axis on
  const int64_t axis = node.integer("axis", -1);
  if (node.integer("opset", kOneAxis) < kOneAxis && axis != -1) {
    fail(Code::Unsupported,
         "{}: it is the Softmax of opset {}, over all dimensions from axis {} on", describe(node),
         node.integer("opset", kOneAxis), axis);
  }
  import_one(to, node, "Softmax", {{"axis", axis}});
}

void import_concat(Importer& to, const Node& node) {
  std::vector<ValueId> inputs;
  for (size_t i = 2; i + 2 < node.inputs.size(); i += 3) {
    inputs.push_back(to.operand(node, i, to.operand_grid(node, i, i + 1)));
  }
  to.result(node, "Concat", inputs, node.attributes, to.result_grid(node, 0));
}

void import_where(Importer& to, const Node& node) {
  const FileGrid x = to.operand_grid(node, 1, 2);
  const FileGrid y = to.operand_grid(node, 4, 5);
  to.result(node, "Where", {to.real_input(node, 0), to.operand(node, 1, x), to.operand(node, 4, y)},
            {}, to.result_grid(node, 7));
}

[[noreturn]] void refuse_dynamic(Importer&, const Node& node) {
  fail(Code::Unsupported,
       "{}: this is dynamic quantization, whose scales are known only while it runs; wanted "
       "static quantization",
       describe(node));
}

constexpr std::array kRows{
    ImportRow{"QLinearConv", import_conv},
    ImportRow{"QLinearMatMul", import_matmul},
    ImportRow{"QGemm", import_gemm},
    ImportRow{"QLinearAdd", import_add},
    ImportRow{"QLinearMul", import_mul},
    ImportRow{"QLinearSigmoid", import_sigmoid},
    ImportRow{"QLinearLeakyRelu", import_leaky_relu},
    ImportRow{"QLinearGlobalAveragePool", import_global_average_pool},
    ImportRow{"QLinearAveragePool", import_average_pool},
    ImportRow{"QLinearSoftmax", import_softmax},
    ImportRow{"QLinearConcat", import_concat},
    ImportRow{"QLinearWhere", import_where},
    ImportRow{"DynamicQuantizeLinear", refuse_dynamic},
    ImportRow{"DynamicQuantizeMatMul", refuse_dynamic},
    ImportRow{"MatMulIntegerToFloat", refuse_dynamic},
    ImportRow{"MatMulInteger", refuse_dynamic},
    ImportRow{"ConvInteger", refuse_dynamic},
};

}  // namespace

std::span<const ImportRow> import_rows() { return kRows; }

}  // namespace octet
