#include "formats/onnx/import.h"

#include <gtest/gtest.h>

#include "formats/onnx/onnx_file.h"
#include "graph/quantize_tensor.h"
#include "support/error_of.h"
#include "support/onnx_model.h"

namespace octet {
namespace {

using namespace test;

constexpr const char* kHeader =
    "<ir_version: 8, opset_import: [\"\" : 21, \"com.microsoft\" : 1]>\n";

ImportedNetwork imported(const std::string& text) {
  const TempFolder folder;
  onnx::ModelProto model = onnx_model(kHeader + text);
  if (text.contains("table")) {
    onnx::TensorProto& tensor = *model.mutable_graph()->add_initializer();
    tensor.set_name("table");
    tensor.set_data_type(onnx::TensorProto::UINT8);
    tensor.add_dims(256);
    tensor.set_raw_data(std::string(256, '\x90'));
  }
  const auto path = write_model(folder, model);
  return import_quantized(read_quantized_onnx(path, {}));
}

/// "1, 2": the grid as scale and zero point, with its bounds where they are not int8's.
std::string text_of(const QuantParams& grid) {
  std::string text = grid.per_tensor() ? "" : std::format("axis {}: ", grid.axis);
  for (size_t c = 0; c < grid.scale.size(); ++c) {
    text += std::format("{}{} {}", c == 0 ? "" : ", ", grid.scale[c], grid.zero_point[c]);
  }
  return text + (grid.type == DType::Int32 ? " int32" : "");
}

/// The nodes, then the given grids by name, with the integers of constants.
std::string text_of(const ImportedNetwork& network) {
  const Graph& graph = network.graph;
  std::string text;
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    text += graph.value(node.outputs[0]).name + " = " + node.op + "(";
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId in = node.inputs[i];
      text += (i == 0 ? "" : ", ") + (in == kAbsent ? std::string("-") : graph.value(in).name);
    }
    text += ")\n";
  }
  std::map<std::string, std::string> grids;
  for (const auto& [id, grid] : network.given.values()) {
    std::string line = text_of(grid);
    if (const auto& constant = graph.value(id).constant) {
      line += " [";
      const Tensor integers = quantize(*constant, grid);
      for (size_t i = 0; i < static_cast<size_t>(integers.size()); ++i) {
        const int number =
            integers.dtype == DType::Int32 ? integers.as<int32_t>()[i] : integers.as<int8_t>()[i];
        line += (i == 0 ? "" : " ") + std::to_string(number);
      }
      line += "]";
    }
    grids[graph.value(id).name] = line;
  }
  for (const auto& [name, line] : grids) text += name + ": " + line + "\n";
  for (const std::string& note : network.notes) text += note + "\n";
  return text;
}

struct ImportCase {
  const char* name;
  const char* model;
  const char* wanted;
};

// A grid per number: s of 0.5 and 0.25, z of uint8 128 + 2 and int8 -3.
#define GRIDS                                                                                   \
  "float s = {0.5}, float t = {0.25}, uint8 z = {130}, int8 i = {-3}, int8 o = {0}, uint8 m = " \
  "{128}"

const std::vector<ImportCase>& cases() {
  static const std::vector<ImportCase> all{
      {"QdqWithIntegerWeights",
       "g (float[N, 2] x) => (float[N, 2] y) <" GRIDS
       ", int8[2, 2] w = {1, -2, 3, -127}, float[2] ws = {1, 2}, int8[2] wz = {0, 0}, "
       "int32[2] b = {7, -8}, float[2] bs = {0.5, 1}, int32[2] bz = {0, 0}> {"
       "xq = QuantizeLinear(x, s, z) xd = DequantizeLinear(xq, s, z) "
       "wd = DequantizeLinear <axis = 0> (w, ws, wz) bd = DequantizeLinear <axis = 0> (b, bs, bz) "
       "p = Gemm <transB = 1> (xd, wd, bd) "
       "yq = QuantizeLinear(p, t, i) y = DequantizeLinear(yq, t, i) }",
       "y = Gemm(x, w, b)\n"
       "b: axis 0: 0.5 0, 1 0 int32 [7 -8]\n"
       "w: axis 0: 1 0, 2 0 [1 -2 3 -127]\n"
       "x: 0.5 2\n"
       "y: 0.25 -3\n"},
      {"FloatWeightsThatAreQuantized",
       "g (float[N, 2] x) => (float[N, 2] y) <" GRIDS ", float[2, 2] w = {1, -2.1, 3, -127}> {"
       "xq = QuantizeLinear(x, s, z) xd = DequantizeLinear(xq, s, z) "
       "wq = QuantizeLinear(w, s, o) wd = DequantizeLinear(wq, s, o) wt = Transpose(wd) "
       "p = MatMul(xd, wt) yq = QuantizeLinear(p, t, i) y = DequantizeLinear(yq, t, i) }",
       "y = MatMul(x, w)\n"
       "w: 0.5 0 [2 6 -4 -128]\n"
       "x: 0.5 2\n"
       "y: 0.25 -3\n"},
      {"ClipBetween",
       "g (float[N, 2] x) => (float[N, 2] y) <" GRIDS ", int8 low = {-7}, int8 high = {7}, "
       "float[2, 2] w = {1, -2.1, 3, -127}> {"
       "xq = QuantizeLinear(x, s, o) xc = Clip(xq, low, high) xd = DequantizeLinear(xc, s, o) "
       "wq = QuantizeLinear(w, s, o) wc = Clip(wq, low, high) wd = DequantizeLinear(wc, s, o) "
       "y = MatMul(xd, wd) }",
       "xc = Clip(x, xc/low, xc/high)\n"
       "y = MatMul(xc, w)\n"
       "w: 0.5 0 [2 -4 6 -7]\n"
       "x: 0.5 0\n"
       "xc: 0.5 0\n"},
      {"QOperator",
       "g (float[N, 2, 3, 3] x) => (float[N, 1, 3, 3] y) <" GRIDS
       ", uint8[1, 2, 1, 1] w = {129, 126}, int32[1] b = {9}> {"
       "xq = QuantizeLinear(x, s, z) c = QLinearConv(xq, s, z, w, t, m, s, i, b) "
       "d = com.microsoft.QLinearAdd(c, s, i, c, s, i, t, i) "
       "r = com.microsoft.QLinearSigmoid(d, t, i, t, o) "
       "y = com.microsoft.DequantizeLinear(r, t, o) }",
       "c = Conv(x, w, b)\n"
       "d = Add(c, c)\n"
       "y = Sigmoid(d)\n"
       "b: 0.125 0 int32 [9]\n"
       "c: 0.5 -3\n"
       "d: 0.25 -3\n"
       "w: 0.25 0 [1 -2]\n"
       "x: 0.5 2\n"
       "y: 0.25 0\n"},
      {"QGemmAndConcat",
       "g (float[N, 2] x) => (float[N, 4] y) <" GRIDS ", int8[2, 2] w = {1, 2, 3, 4}> {"
       "xq = QuantizeLinear(x, s, z) "
       "p = com.microsoft.QGemm(xq, s, z, w, t, o, , t, i) "
       "c = com.microsoft.QLinearConcat <axis = 1> (s, z, xq, s, z, p, t, i) "
       "y = DequantizeLinear(c, s, z) }",
       "p = Gemm(x, w)\n"
       "y = Concat(x, p)\n"
       "p: 0.25 -3\n"
       "w: 0.25 0 [1 2 3 4]\n"
       "x: 0.5 2\n"
       "y: 0.5 2\n"},
      {"MovesOnIntegers",
       "g (float[N, 2] x) => (float[N, 4] y) <" GRIDS ", int64[4] pads = {0, 1, 0, 1}> {"
       "xq = QuantizeLinear(x, s, z) p = Pad(xq, pads, z) y = DequantizeLinear(p, s, z) }",
       "y = Pad(x, pads, z)\n"
       "x: 0.5 2\n"
       "y: 0.5 2\n"},
      {"AnotherScaleOfTheSameIntegers",
       "g (float[N, 2] x) => (float[N, 2] y) <" GRIDS "> {"
       "xq = QuantizeLinear(x, s, z) a = DequantizeLinear(xq, s, z) b = DequantizeLinear(xq, t, z) "
       "p = Add(a, b) yq = QuantizeLinear(p, t, i) y = DequantizeLinear(yq, t, i) }",
       "b = Mul(x, b/factor)\n"
       "y = Add(x, b)\n"
       "b: 0.25 2\n"
       "x: 0.5 2\n"
       "y: 0.25 -3\n"},
      {"TwoGridsOfOneValue",
       "g (float[N, 2] x) => (float[N, 2] y) <" GRIDS "> {"
       "xq = QuantizeLinear(x, s, z) a = DequantizeLinear(xq, s, z) "
       "aq = QuantizeLinear(a, t, i) b = DequantizeLinear(aq, t, i) "
       "p = Add(a, b) yq = QuantizeLinear(p, t, i) y = DequantizeLinear(yq, t, i) }",
       "aq = Clip(x)\n"
       "y = Add(x, aq)\n"
       "aq: 0.25 -3\n"
       "x: 0.5 2\n"
       "y: 0.25 -3\n"},
      {"TableOfIntegers",
       "g (float[N, 2] x) => (float[N, 2] y) <" GRIDS "> {"
       "xq = QuantizeLinear(x, s, z) xi = Cast <to = 6> (xq) [n] yq = Gather(table, xi) "
       "f = Flatten(yq) y = DequantizeLinear(f, t, m) }",
       "n/steps = Mul(x, n/per step)\n"
       "n/whole = Round(n/steps)\n"
       "n/place = Add(n/whole, n/zero)\n"
       "n/inside = Clip(n/place, n/first, n/last)\n"
       "n/index = Cast(n/inside)\n"
       "yq = Gather(n/entries, n/index)\n"
       "y = Flatten(yq)\n"
       "x: 0.5 2\n"
       "y: 0.25 0\n"
       "yq: 0.25 0\n"},
      {"IntegerInputAndOutput",
       "g (uint8[N, 2] x) => (int8[N, 2] y) <" GRIDS "> {"
       "a = DequantizeLinear(x, s, z) p = Add(a, a) y = QuantizeLinear(p, t, i) }",
       "y = Add(x, x)\n"
       "x: 0.5 2\n"
       "y: 0.25 -3\n"
       "the input 'x' is uint8 in the given file, and float32 now\n"
       "the output 'y' is integers in the given file, and float32 now\n"},
  };
  return all;
}

class Import : public ::testing::TestWithParam<ImportCase> {};

TEST_P(Import, IsTheFloatNetworkAndItsGrids) {
  EXPECT_EQ(text_of(imported(GetParam().model)), GetParam().wanted);
}

INSTANTIATE_TEST_SUITE_P(Files, Import, ::testing::ValuesIn(cases()),
                         [](const auto& tested) { return tested.param.name; });

struct RefusedImport {
  const char* name;
  const char* grid;   ///< initializers besides those of `kQdq`
  const char* nodes;  ///< between x and y
  Code code;
  const char* message;
};

const std::vector<RefusedImport>& refused() {
  static const std::vector<RefusedImport> all{
      {"ScaleZero", "float s = {0}, uint8 z = {3}",
       "[q] xq = QuantizeLinear(x, s, z) y = DequantizeLinear(xq, s, z)", Code::Model,
       "node \"q\" (QuantizeLinear): the scale 's' of 'x' is 0 (number 1 of 1); wanted finite "
       "numbers above 0"},
      {"ScaleNegative", "float s = {-0.5}, uint8 z = {3}",
       "[q] xq = QuantizeLinear(x, s, z) y = DequantizeLinear(xq, s, z)", Code::Model,
       "node \"q\" (QuantizeLinear): the scale 's' of 'x' is -0.5 (number 1 of 1); wanted finite "
       "numbers above 0"},
      {"ScaleComputed", "uint8 z = {3}",
       "s = ReduceMax <keepdims = 0> (x) [q] xq = QuantizeLinear(x, s, z) "
       "y = DequantizeLinear(xq, s, z)",
       Code::Unsupported,
       "node \"q\" (QuantizeLinear): the scale 's' of 'x' is computed by the network; wanted a "
       "constant, as static quantization has"},
      {"ScalePerChannelOfWhatFlows", "float[2] s = {1, 2}, uint8[2] z = {3, 3}",
       "[q] xq = QuantizeLinear <axis = 1> (x, s, z) y = DequantizeLinear <axis = 1> (xq, s, z)",
       Code::Unsupported,
       "node \"q\" (QuantizeLinear): the scale 's' of 'x' has 2 numbers; what flows has one scale "
       "in every target"},
      {"ZeroPointOfAnotherType", "float s = {1}, uint8 z = {3}, int8 i = {3}",
       "xq = QuantizeLinear(x, s, z) [d] y = DequantizeLinear(xq, s, i)", Code::Model,
       "node \"d\" (DequantizeLinear): the zero point 'i' of 'xq' is int8; wanted uint8, as its "
       "integers are"},
      {"ZeroPointsOfAnotherNumber", "float s = {1}, uint8[2] z = {3, 3}",
       "[q] xq = QuantizeLinear(x, s, z) y = DequantizeLinear(xq, s, z)", Code::Model,
       "node \"q\" (QuantizeLinear): the zero point 'z' of 'x' has 2 numbers, the scale 's' has 1"},
      {"SixteenBits", "float s = {1}, int16 z = {3}",
       "[q] xq = QuantizeLinear(x, s, z) y = DequantizeLinear(xq, s, z)", Code::Unsupported,
       "node \"q\" (QuantizeLinear): 'x' is quantized to int16; wanted int8 or uint8"},
      {"ScalesWithoutAxis",
       "float s = {1}, uint8 z = {3}, int8[3, 2] w = {1, 2, 3, 4, 5, 6}, float[3] t = {1, 2, 3}",
       "xq = QuantizeLinear(x, s, z) a = DequantizeLinear(xq, s, z) "
       "[d] b = DequantizeLinear(w, t) y = Gemm <transB = 1> (a, b)",
       Code::Model,
       "node \"d\" (DequantizeLinear): the scale 't' of 'w' has 3 numbers, for axis 1 (no 'axis' "
       "is "
       "given) of the shape 3x2; wanted one per index of the axis"},
      {"NobodyDequantizes", "float s = {1}, uint8 z = {3}",
       "[q] xq = QuantizeLinear(x, s, z) y = Relu(x)", Code::Model,
       "node \"q\" (QuantizeLinear): nobody dequantizes its integers 'xq'"},
      {"NotQuantized", "float s = {1}", "y = Mul(x, s)", Code::Model,
       "none of its tensors is quantized; use 'octet quantize' for float networks"},
      {"Dynamic", "float s = {1}",
       "q, t, z = DynamicQuantizeLinear(x) y = DequantizeLinear(q, t, z)", Code::Unsupported,
       "node \"q\" (DynamicQuantizeLinear): this is dynamic quantization, whose scales are known "
       "only while it runs; wanted static quantization"},
      {"OtherArithmeticOnIntegers", "float s = {1}, int8 z = {3}",
       "xq = QuantizeLinear(x, s, z) [n] a = Relu(xq) y = DequantizeLinear(a, s, z)",
       Code::Unsupported,
       "node \"n\" (Relu): it computes with the integers 'x', which octet cannot follow"},
      {"OtherZeroPointOfTheSameIntegers", "float s = {1}, int8 z = {3}, int8 o = {0}",
       "xq = QuantizeLinear(x, s, z) [d] y = DequantizeLinear(xq, s, o)", Code::Unsupported,
       "node \"d\" (DequantizeLinear): it takes the integers of 'x' for others than they are: "
       "their "
       "zero point is 3, not 0"},
  };
  return all;
}

class ImportRefuses : public ::testing::TestWithParam<RefusedImport> {};

TEST_P(ImportRefuses, InOneLine) {
  const RefusedImport& row = GetParam();
  const Error error = error_of([&] {
    imported(std::string("g (float[N, 2] x) => (float[N, K] y) <") + row.grid + "> { " + row.nodes +
             " }");
  });
  EXPECT_EQ(error.code(), row.code);
  EXPECT_STREQ(error.what(), row.message);
}

INSTANTIATE_TEST_SUITE_P(Files, ImportRefuses, ::testing::ValuesIn(refused()),
                         [](const auto& tested) { return tested.param.name; });

TEST(ImportScale, NotANumberIsRefused) {
  const TempFolder folder;
  onnx::ModelProto model =
      onnx_model(std::string(kHeader) +
                 "g (float[N, 2] x) => (float[N, 2] y) <float s = {1}, uint8 z = {3}> { "
                 "[q] xq = QuantizeLinear(x, s, z) y = DequantizeLinear(xq, s, z) }");
  onnx::TensorProto& scale = *model.mutable_graph()->mutable_initializer(0);
  scale.clear_float_data();
  scale.add_float_data(std::numeric_limits<float>::quiet_NaN());
  const Graph file = read_quantized_onnx(write_model(folder, model), {});
  EXPECT_EQ(
      message_of([&] { import_quantized(file); }),
      "node \"q\" (QuantizeLinear): the scale 's' of 'x' is nan (number 1 of 1); wanted finite "
      "numbers above 0");
}

TEST(ImportTypes, FourBitsAreRefused) {
  const TempFolder folder;
  onnx::ModelProto model =
      onnx_model(std::string(kHeader) +
                 "g (float[N, 2] x) => (float[N, 2] y) <float s = {1}, uint8 z = {3}> { "
                 "xq = QuantizeLinear(x, s, z) y = DequantizeLinear(xq, s, z) }");
  onnx::TensorProto& zero = *model.mutable_graph()->mutable_initializer(1);
  zero.set_data_type(onnx::TensorProto::UINT4);
  const auto path = write_model(folder, model);
  EXPECT_EQ(
      folder.without(message_of([&] { read_quantized_onnx(path, {}); })),
      "m.onnx: the tensor 'z' has the element type UINT4, which octet does not support; wanted "
      "one of FLOAT, DOUBLE, FLOAT16, BFLOAT16, INT8, UINT8, INT16, UINT16, INT32, INT64, BOOL");
}

}  // namespace
}  // namespace octet
