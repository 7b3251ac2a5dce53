// Nodes that are told otherwise than the scheme: islands in float, weights per tensor among those
// per channel, symmetric values among asymmetric ones.
#include "api/stages.h"
#include "pipeline/parity.h"
#include "pipeline/residual_net.h"

namespace octet {
namespace {

using namespace test;

/// Operators that take another way than in integers, or keep their layout.
ValueId various(SmallNet& n) {
  const ValueId x = n.op("LeakyRelu", {n.conv(n.x)});
  const ValueId clipped = n.op("Clip", {x, n.number(-0.5F), n.number(2)});
  const ValueId pooled = n.op("MaxPool", {n.op("Tanh", {clipped})},
                              {{"kernel_shape", L{3, 3}}, {"pads", L{1, 1, 0, 0}}});
  const ValueId divided =
      n.op("Div", {pooled, n.op("Add", {n.op("Sigmoid", {pooled}), n.number(1)})});
  const ValueId signs = n.op("Sign", {divided});
  const ValueId scaled = n.op("Mul", {n.op("Add", {divided, signs}), n.c({4, 1, 1}, 0.5F, 2)});
  const ValueId rows =
      n.op("Reshape", {n.op("Transpose", {scaled}, {{"perm", L{0, 2, 3, 1}}}), n.list({0, -1, 4})});
  return n.op("Softmax", {n.op("MatMul", {rows, n.c({4, 5})})});
}

/// Real logits are counted in hundredths, of which an 8-bit step before them is several.
constexpr double kRealSteps = 20;

ParityCase of(std::string name, std::vector<std::string> overrides, bool in_float,
              std::vector<std::string> targets = {"onnxruntime-cpu"}, Scheme scheme = {},
              double tflite_steps = 3) {
  return {.name = std::move(name),
          .build = residual,
          .onnx_steps = 2,
          .tflite_steps = tflite_steps,
          .targets = std::move(targets),
          .scheme = scheme,
          .overrides = std::move(overrides),
          .in_float = in_float};
}

std::vector<ParityCase> override_cases() {
  const std::vector<std::string> twins{"onnxruntime-cpu", "tflite"};
  constexpr Scheme kAround0{.weights = Scheme::Weights::PerTensor,
                            .activations = Scheme::Activations::Symmetric};
  return {
      of("Nothing", {}, false, twins),
      of("ConvolutionInFloat", {"Conv_2=float"}, true, twins),
      of("FirstLayerInFloat", {"Conv_0=float"}, true, twins),
      of("LastLayerInFloat", {"Gemm_9=float", "Flatten_10=float"}, true, twins, {}, kRealSteps),
      of("BlockInFloat", {"Conv_2=float", "Conv_4=float", "Add_5=float"}, true, twins),
      of("AllInFloatButOne", {"*=float", "Conv_4=int8"}, true, twins),
      of("AdditionBetweenIntegers", {"Add_5=float"}, false, twins),
      of("OneLayerPerTensor", {"Conv_2=per-tensor"}, false, twins),
      of("OneLayerPerChannel", {"Conv_2=per-channel"}, false, twins, kAround0),
      of("OneValueSymmetric", {"Conv_2=symmetric"}, false, twins),
      of("SumSymmetric", {"Add_5=symmetric"}, false, twins),
      of("OneValueAsymmetric", {"Relu_3=asymmetric"}, false, twins, kAround0),
      {.name = "OperatorsOfOtherFormsInFloat",
       .build = various,
       .onnx_steps = 2,
       .tflite_steps = 3,
       .overrides = {"*=float", "Conv_0=int8"},
       .in_float = true},
      of("Mixed", {"Conv_0=per-tensor", "Conv_2=float", "Conv_4=symmetric,per-tensor"}, true,
         twins),
  };
}

class OverrideParity : public ::testing::TestWithParam<ParityCase> {};

TEST_P(OverrideParity, TheFilesComputeWhatIsSimulated) { check_parity(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Networks, OverrideParity, ::testing::ValuesIn(override_cases()),
                         [](const auto& tested) { return tested.param.name; });

TEST(OverrideFiles, NameWhatTfliteCannotComputeInFloat) {
  SmallNet small;
  small.graph.add_output(small.op("Flatten", {small.op("Erf", {small.conv(small.x)})}));
  const Tensor data = random_tensor({1, 3, 6, 6}, 31, -3, 3);
  const Quantized net(std::move(small.graph), {"tflite"}, data.as<float>(), 1, {},
                      parse_overrides({"Erf_1=float"}));
  EXPECT_EQ(message_of([&] { write_tflite(net.graph, net.table); }),
            "tflite: node \"Erf_1\" (Erf): TFLite has no float form of it that octet writes");
}

/// A file of TFLite computes in float what is asked for, and nothing else.
TEST(OverrideFiles, AreRefusedForFloatThatNobodyAskedFor) {
  const auto placed = [](const std::vector<std::string>& overrides) {
    SmallNet small;
    small.graph.add_output(small.graph.add_op("CumSum", "sums", {small.x, small.index(1)}));
    infer_shapes(small.graph);
    const Deployment deployment =
        deployment_of({.targets = {"tflite"}, .overrides = parse_overrides(overrides)});
    refuse_float(place_network(std::move(small.graph), deployment), deployment.targets);
  };
  EXPECT_EQ(
      message_of([&] { placed({}); }),
      "node \"sums\" (CumSum): tflite has no integer form of it; a TFLite INT8 file has no float "
      "between its integers");
  EXPECT_NO_THROW(placed({"sums=float"}));
}

}  // namespace
}  // namespace octet
