// Networks of integer weights and float activations: both files against the network in float.
#include "api/stages.h"
#include "pipeline/parity.h"
#include "support/error_of.h"

namespace octet {
namespace {

using namespace test;

struct DynamicCase {
  std::string name;
  ValueId (*build)(SmallNet& net);
};

void PrintTo(const DynamicCase& held, std::ostream* out) { *out << held.name; }

const std::vector<DynamicCase>& dynamic_cases() {
  static const std::vector<DynamicCase> all{
      {"ConvRelu", [](SmallNet& n) { return n.op("Relu", {n.conv(n.x)}); }},
      {"ConvClipped",
       [](SmallNet& n) { return n.op("Clip", {n.conv(n.x), n.number(-0.5F), n.number(2)}); }},
      {"Depthwise",
       [](SmallNet& n) {
         return n.op("Conv", {n.x, n.c({3, 1, 3, 3}), n.c({3})},
                     {{"group", int64_t{3}}, {"pads", L{1, 1, 1, 1}}});
       }},
      {"DepthwiseDilated",
       [](SmallNet& n) {
         return n.op("Conv", {n.x, n.c({3, 1, 3, 3}), n.c({3})},
                     {{"group", int64_t{3}}, {"dilations", L{2, 2}}});
       }},
      {"Dilated",
       [](SmallNet& n) {
         return n.op("Conv", {n.x, n.c({4, 3, 3, 3}), n.c({4})}, {{"dilations", L{2, 2}}});
       }},
      {"Grouped",
       [](SmallNet& n) {
         return n.op("Conv", {n.mixed(n.x, 4), n.c({6, 2, 3, 3})}, {{"group", int64_t{2}}});
       }},
      {"Gemm",
       [](SmallNet& n) { return n.gemm(n.op("Flatten", {n.op("GlobalAveragePool", {n.x})})); }},
      {"MatMul",
       [](SmallNet& n) {
         const ValueId rows = n.op("Reshape", {n.x, n.list({0, 3, 36})});
         return n.op("Add", {n.op("MatMul", {rows, n.c({36, 5})}), n.c({5})});
       }},
      {"Attention",
       [](SmallNet& n) {
         const ValueId rows = n.op("Reshape", {n.x, n.list({0, 3, 36})});
         const ValueId a = n.op("MatMul", {rows, n.c({36, 8}, -0.2F, 0.2F)});
         const ValueId b = n.op("MatMul", {rows, n.c({36, 8}, -0.2F, 0.2F)});
         const ValueId scores = n.op("MatMul", {a, n.op("Transpose", {b}, {{"perm", L{0, 2, 1}}})});
         return n.op("MatMul", {n.op("Softmax", {scores}), rows});
       }},
      {"LayerNormalization",
       [](SmallNet& n) {
         const ValueId rows = n.op("Reshape", {n.x, n.list({0, 3, 36})});
         const ValueId normal = n.op("LayerNormalization", {rows, n.c({36}), n.c({36})});
         return n.op("Gelu", {n.op("MatMul", {normal, n.c({36, 5}, -0.3F, 0.3F)})});
       }},
      {"HardSwishGate",
       [](SmallNet& n) {
         const ValueId y = n.op("HardSwish", {n.mixed(n.x)});
         const ValueId gate = n.op("HardSigmoid", {n.mixed(n.op("GlobalAveragePool", {y}))},
                                   {{"alpha", 1.0F / 6}, {"beta", 0.5F}});
         return n.op("Mul", {y, gate});
       }},
      {"PoolsAndPads",
       [](SmallNet& n) {
         const ValueId y =
             n.op("MaxPool", {n.mixed(n.x)}, {{"kernel_shape", L{3, 3}}, {"pads", L{1, 1, 0, 0}}});
         const ValueId z = n.op("Pad", {y, n.list({0, 0, 1, 1, 0, 0, 1, 1}), n.number(0.7F)});
         return n.op("AveragePool", {z}, {{"kernel_shape", L{2, 2}}});
       }},
      {"Division",
       [](SmallNet& n) {
         const ValueId divisor = n.op("Clip", {n.op("Abs", {n.x}), n.number(0.5F), n.number(3)});
         return n.op("Div", {n.mixed(n.x), n.op("Sqrt", {divisor})});
       }},
  };
  return all;
}

class Dynamic : public ::testing::TestWithParam<DynamicCase> {};

/// The largest difference, as a share of the largest number.
double relative_error(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (const float x : b) largest = std::max<double>(largest, std::abs(x));
  return steps_between(a, b, static_cast<float>(largest));
}

QuantizedNetwork quantized(Graph graph) {
  const std::vector<std::string> names{"onnxruntime-cpu", "tflite"};
  return quantize_weights(std::move(graph), {.targets = TargetSet(names),
                                             .scheme = {.ranges = Scheme::Ranges::Dynamic}});
}

std::unique_ptr<Session> opened(const QuantizedNetwork& net, const std::filesystem::path& path) {
  write_file(path, quantized_file(net, path));
  return open_session(path, 1);
}

TEST_P(Dynamic, FilesComputeAlmostWhatTheNetworkDoes) {
  SmallNet small;
  small.graph.add_output(small.op("Flatten", {GetParam().build(small)}));
  const Tensor data = random_tensor({4, 3, 6, 6}, 31, -3, 3);
  const auto images = data.as<float>();
  const TempFolder folder;
  infer_shapes(small.graph);
  write_file(folder / "float.onnx", write_onnx(small.graph));
  const auto wanted = open_session(folder / "float.onnx", 1)->run(images, 4);
  const QuantizedNetwork net = quantized(std::move(small.graph));
  const auto onnx = opened(net, folder / "n.onnx")->run(images, 4);
  EXPECT_LE(relative_error(onnx, wanted), 0.04);
  const auto lite = opened(net, folder / "n.tflite")->run(moved_last(images, 3, 36), 4);
  EXPECT_LE(relative_error(lite, wanted), 0.04);
  EXPECT_GT(relative_error(lite, wanted), 0) << "nothing was rounded";
}

INSTANTIATE_TEST_SUITE_P(Networks, Dynamic, ::testing::ValuesIn(dynamic_cases()),
                         [](const auto& tested) { return tested.param.name; });

std::string operators_of(Session& session) {
  std::string text;
  for (const OperatorUse& use : session.operators()) text += use.name + ":" + use.arithmetic + " ";
  return text;
}

TEST(DynamicRanges, TakeTheFormThatEachRuntimeComputesFast) {
  SmallNet small;
  const ValueId pooled = small.op("GlobalAveragePool", {small.op("Relu", {small.mixed(small.x)})});
  small.graph.add_output(small.gemm(small.op("Flatten", {pooled})));
  const QuantizedNetwork net = quantized(std::move(small.graph));
  const TempFolder folder;
  EXPECT_EQ(operators_of(*opened(net, folder / "n.tflite")),
            "CONV_2D:dynamic-int8 MEAN:float32 FULLY_CONNECTED:dynamic-int8 ");
  const std::string onnx = operators_of(*opened(net, folder / "n.onnx"));
  EXPECT_TRUE(onnx.contains("DynamicQuantizeMatMul:dynamic-int8 ")) << onnx;
  EXPECT_FALSE(onnx.contains("Cast:")) << "weights are not folded: " << onnx;
}

TEST(DynamicRanges, NameWhatTfliteCannotCompute) {
  SmallNet small;
  small.graph.add_output(small.op("Flatten", {small.op("Erf", {small.conv(small.x)})}));
  const QuantizedNetwork net = quantized(std::move(small.graph));
  EXPECT_EQ(message_of([&] { write_dynamic_tflite(net.graph, net.table); }),
            "tflite: node \"Erf_1\" (Erf): TFLite has no float form of it that octet writes");
}

}  // namespace
}  // namespace octet
