// Nodes that are told otherwise than the scheme: islands in float, weights per tensor among those
// per channel, symmetric values among asymmetric ones.
#include "pipeline/parity.h"

namespace octet {
namespace {

using namespace test;

/// Conv_0 - Relu_1 - Conv_2 - Relu_3 - Conv_4 - Add_5 (with Relu_1) - Relu_6 - GlobalAveragePool_7
/// - Flatten_8 - Gemm_9: the Flatten_10 behind it is the test's.
ValueId residual(SmallNet& n) {
  const ValueId skipped = n.op("Relu", {n.mixed(n.x, 4)});
  const auto conv = [&](ValueId in) {
    return n.op("Conv", {in, n.c({4, 4, 3, 3}), n.c({4})}, {{"pads", L{1, 1, 1, 1}}});
  };
  const ValueId inner = conv(n.op("Relu", {conv(skipped)}));
  const ValueId sum = n.op("Relu", {n.op("Add", {inner, skipped})});
  const ValueId pooled = n.op("Flatten", {n.op("GlobalAveragePool", {sum})});
  return n.op("Gemm", {pooled, n.c({4, 5}), n.c({5})});
}

ParityCase of(std::string name, std::vector<std::string> overrides, bool in_float,
              std::vector<std::string> targets = {"onnxruntime-cpu"}, Scheme scheme = {}) {
  return {.name = std::move(name),
          .build = residual,
          .onnx_steps = 2,
          .tflite_steps = 3,
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
      of("ConvolutionInFloat", {"Conv_2=float"}, true),
      of("FirstLayerInFloat", {"Conv_0=float"}, true),
      of("LastLayerInFloat", {"Gemm_9=float", "Flatten_10=float"}, true),
      of("BlockInFloat", {"Conv_2=float", "Conv_4=float", "Add_5=float"}, true),
      of("AllInFloatButOne", {"*=float", "Conv_4=int8"}, true),
      of("AdditionBetweenIntegers", {"Add_5=float"}, false),
      of("OneLayerPerTensor", {"Conv_2=per-tensor"}, false, twins),
      of("OneLayerPerChannel", {"Conv_2=per-channel"}, false, twins, kAround0),
      of("OneValueSymmetric", {"Conv_2=symmetric"}, false, twins),
      of("SumSymmetric", {"Add_5=symmetric"}, false, twins),
      of("OneValueAsymmetric", {"Relu_3=asymmetric"}, false, twins, kAround0),
      of("Mixed", {"Conv_0=per-tensor", "Conv_2=float", "Conv_4=symmetric,per-tensor"}, true),
  };
}

class OverrideParity : public ::testing::TestWithParam<ParityCase> {};

TEST_P(OverrideParity, TheFilesComputeWhatIsSimulated) { check_parity(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Networks, OverrideParity, ::testing::ValuesIn(override_cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace octet
