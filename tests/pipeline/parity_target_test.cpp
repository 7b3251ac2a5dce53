// Resize, and operators that only one target computes in integers: the files against the simulation
// and against the exact dialects.
#include "formats/summary.h"
#include "pipeline/parity.h"

namespace octet {
namespace {

using namespace test;

ValueId resized(SmallNet& net, const char* mode, const char* coordinates, const L& sizes) {
  SmallNet::Attributes attributes{{"mode", std::string(mode)},
                                  {"coordinate_transformation_mode", std::string(coordinates)},
                                  {"axes", L{2, 3}}};
  if (std::string_view(coordinates) == "asymmetric") {
    attributes["nearest_mode"] = std::string("floor");
  }
  return net.op("Resize", {net.x, kAbsent, kAbsent, net.list(sizes)}, attributes);
}

const std::vector<std::string> kTflite{"tflite"};
const std::vector<std::string> kBothTargets{"onnxruntime-cpu", "tflite"};

const std::vector<ParityCase>& target_cases() {
  static const std::vector<ParityCase> all{
      {"NearestTwice", [](SmallNet& n) { return resized(n, "nearest", "asymmetric", {12, 12}); }, 0,
       0},
      {"NearestOddSizes", [](SmallNet& n) { return resized(n, "nearest", "asymmetric", {9, 4}); },
       0, 0},
      {"NearestHalfPixel",
       [](SmallNet& n) { return resized(n, "nearest", "half_pixel", {12, 18}); }, 0, 0},
      {"LinearHalfPixel", [](SmallNet& n) { return resized(n, "linear", "half_pixel", {12, 12}); },
       1, 1},
      {"LinearAlignCorners",
       [](SmallNet& n) { return resized(n, "linear", "align_corners", {11, 9}); }, 1, 1},
      {"LinearAsymmetric", [](SmallNet& n) { return resized(n, "linear", "asymmetric", {12, 9}); },
       1, 1},
      {"ConvTransposeTwice",
       [](SmallNet& n) {
         return n.op("ConvTranspose", {n.x, n.c({3, 4, 2, 2}), n.c({4})}, {{"strides", L{2, 2}}});
       },
       0, 1, kTflite},
      {"ConvTransposePadded",
       [](SmallNet& n) {
         return n.op("ConvTranspose", {n.x, n.c({3, 4, 4, 4}), n.c({4})},
                     {{"strides", L{2, 2}}, {"pads", L{1, 1, 1, 1}}});
       },
       0, 1, kTflite},
      {"ConvTransposeCut",
       [](SmallNet& n) {
         return n.op("ConvTranspose", {n.x, n.c({3, 4, 3, 3})},
                     {{"strides", L{2, 2}}, {"pads", L{1, 1, 1, 1}}, {"output_padding", L{1, 1}}});
       },
       0, 1, kTflite},
      {"PRelu", [](SmallNet& n) { return n.op("PRelu", {n.mixed(n.x), n.c({3, 1, 1})}); }, 0, 1,
       kTflite},
      {"LogSoftmax",
       [](SmallNet& n) {
         return n.op("LogSoftmax", {n.gemm(n.op("Flatten", {n.op("GlobalAveragePool", {n.x})}))});
       },
       0, 1, kTflite},
      {"LogSoftmaxOfChannels",
       [](SmallNet& n) { return n.op("LogSoftmax", {n.mixed(n.x)}, {{"axis", int64_t{1}}}); }, 0, 1,
       kTflite},
      {"ReduceMeanChannels", [](SmallNet& n) { return n.op("ReduceMean", {n.x, n.list({1})}); }, 0,
       1, kTflite},
      {"ReduceSumRows",
       [](SmallNet& n) {
         return n.op("ReduceSum", {n.x, n.list({-1})}, {{"keepdims", int64_t{0}}});
       },
       0, 1, kTflite, false},
      {"Gelu", [](SmallNet& n) { return n.op("Gelu", {n.mixed(n.x)}); }, 0, 1, kTflite},
      {"GeluByTanh",
       [](SmallNet& n) {
         return n.op("Gelu", {n.mixed(n.x)}, {{"approximate", std::string("tanh")}});
       },
       0, 1},
      {"Elu", [](SmallNet& n) { return n.op("Elu", {n.mixed(n.x)}); }, 0, 1, kBothTargets, false},
      {"Exp", [](SmallNet& n) { return n.op("Exp", {n.mixed(n.x)}); }},
      {"Abs", [](SmallNet& n) { return n.op("Abs", {n.mixed(n.x)}); }, 0, 2},
      {"Softplus", [](SmallNet& n) { return n.op("Softplus", {n.mixed(n.x)}); }},
      {"MatMulOfConstant",
       [](SmallNet& n) {
         const ValueId rows = n.op("Reshape", {n.x, n.list({0, 3, 36})});
         return n.op("MatMul", {n.c({5, 3}), rows});
       },
       1, 1},
      {"MatMulOfFiveDimensions",
       [](SmallNet& n) {
         const ValueId a = n.op("Reshape", {n.x, n.list({0, 3, 2, 3, 6})});
         const ValueId b = n.op("Transpose", {a}, {{"perm", L{0, 1, 2, 4, 3}}});
         return n.op("MatMul", {a, b});
       },
       1, 1},
      {"MatMulOfSixDimensions",
       [](SmallNet& n) {
         const ValueId a = n.op("Reshape", {n.x, n.list({0, 3, 2, 3, 2, 3})});
         const ValueId b = n.op("Transpose", {a}, {{"perm", L{0, 1, 2, 3, 5, 4}}});
         return n.op("MatMul", {a, b});
       },
       1, 1},
  };
  return all;
}

class TargetParity : public ::testing::TestWithParam<ParityCase> {};

TEST_P(TargetParity, FilesComputeWhatIsSimulated) { check_parity(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Networks, TargetParity, ::testing::ValuesIn(target_cases()),
                         [](const auto& tested) { return tested.param.name; });

/// Operators of the TFLite file for these targets.
std::vector<std::string> operators_for(const std::vector<std::string>& targets) {
  SmallNet small;
  small.graph.add_output(small.op("Log", {small.x}));
  const Tensor data = random_tensor({8, 3, 6, 6}, 31, 0.5F, 3);
  const Quantized net(std::move(small.graph), targets, data.as<float>(), 8);
  const TempFolder folder;
  write_file(folder / "n.tflite", write_tflite(net.graph, net.table));
  std::vector<std::string> names;
  for (const FileOperator& op : summarize_tflite(folder / "n.tflite").operators) {
    names.push_back(op.op);
  }
  return names;
}

TEST(LitertTarget, HasTheKernelsOfItsRelease) {
  EXPECT_EQ(operators_for({"litert"}), (std::vector<std::string>{"QUANTIZE", "LOG", "DEQUANTIZE"}));
  EXPECT_EQ(operators_for({"litert", "tflite"}),
            (std::vector<std::string>{"QUANTIZE", "CAST", "ADD", "GATHER", "DEQUANTIZE"}));
}

}  // namespace
}  // namespace octet
