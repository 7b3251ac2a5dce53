// Weights per tensor or in their full range, symmetric activations, scales that are powers of two:
// both files against the simulation and against the
// exact dialects.
#include "pipeline/parity.h"

namespace octet {
namespace {

using namespace test;

constexpr Scheme kPerTensor{.weights = Scheme::Weights::PerTensor};
constexpr Scheme kSymmetric{.activations = Scheme::Activations::Symmetric};
constexpr Scheme kPerTensorSymmetric{.weights = Scheme::Weights::PerTensor,
                                     .activations = Scheme::Activations::Symmetric};
constexpr Scheme kPowerOfTwo{.scales = Scheme::Scales::PowerOfTwo};
constexpr Scheme kPowerOfTwoAround0{.weights = Scheme::Weights::PerTensor,
                                    .activations = Scheme::Activations::Symmetric,
                                    .scales = Scheme::Scales::PowerOfTwo};
constexpr Scheme kFullRange{.saturation = Scheme::Saturation::Report,
                            .weight_range = Scheme::WeightRange::Full};
constexpr Scheme kFullRangePerTensor{.weights = Scheme::Weights::PerTensor,
                                     .saturation = Scheme::Saturation::Report,
                                     .weight_range = Scheme::WeightRange::Full};

constexpr Scheme kFourBits{.weight_bits = 4};
constexpr Scheme kFourBitsPerTensor{.weights = Scheme::Weights::PerTensor, .weight_bits = 4};

/// What the schemes change: products with their biases, and whatever clips.
const std::vector<ParityCase>& networks() {
  static const std::vector<ParityCase> all{
      {"Conv", [](SmallNet& n) { return n.conv(n.x); }},
      {"ConvRelu", [](SmallNet& n) { return n.op("Relu", {n.conv(n.x)}); }},
      {"ConvRelu6",
       [](SmallNet& n) { return n.op("Clip", {n.conv(n.x), n.number(0), n.number(6)}); }},
      {"ConvGrouped",
       [](SmallNet& n) {
         return n.op("Conv", {n.mixed(n.x, 4), n.c({8, 2, 3, 3}), n.c({8})},
                     {{"group", int64_t{2}}});
       },
       1},
      {"Depthwise",
       [](SmallNet& n) {
         return n.op("Conv", {n.x, n.c({3, 1, 3, 3}), n.c({3})}, {{"group", int64_t{3}}});
       }},
      {"ConvTranspose",
       [](SmallNet& n) {
         return n.op("ConvTranspose", {n.x, n.c({3, 4, 2, 2}), n.c({4})}, {{"strides", L{2, 2}}});
       },
       0,
       1,
       {"tflite"}},
      {"Gemm",
       [](SmallNet& n) {
         return n.gemm(n.op("Flatten", {n.op("GlobalAveragePool", {n.mixed(n.x)})}));
       },
       1},
      {"MatMul",
       [](SmallNet& n) {
         return n.op("MatMul", {n.op("Flatten", {n.op("GlobalAveragePool", {n.x})}), n.c({3, 4})});
       },
       1, 2},
      {"LargeBias",
       [](SmallNet& n) { return n.op("Conv", {n.x, n.c({4, 3, 3, 3}), n.c({4}, 200, 900)}); }},
      // x / 6 is rounded once more where scales are powers of two.
      {"HardSwish", [](SmallNet& n) { return n.op("HardSwish", {n.mixed(n.x)}); }, 1, 3},
      {"HardSigmoidGate",
       [](SmallNet& n) {
         const ValueId pooled = n.op("GlobalAveragePool", {n.x});
         const ValueId gate = n.op("HardSigmoid", {n.op("Conv", {pooled, n.c({3, 3, 1, 1})})},
                                   {{"alpha", 1.0F / 6}, {"beta", 0.5F}});
         return n.op("Mul", {n.x, gate});
       },
       2, 2},
      {"ReluBesideOthers",
       [](SmallNet& n) {
         const ValueId positive = n.op("Relu", {n.mixed(n.x)});
         return n.op("Concat", {positive, n.mixed(n.x)}, {{"axis", int64_t{1}}});
       }},
      {"ReluReadTwice",
       [](SmallNet& n) {
         const ValueId y = n.mixed(n.x);
         return n.op("Add", {n.op("Relu", {y}), y});
       },
       1},
      {"AddRelu", [](SmallNet& n) { return n.op("Relu", {n.op("Add", {n.x, n.mixed(n.x)})}); }, 0,
       3},
      {"Softmax",
       [](SmallNet& n) {
         return n.op("Softmax", {n.gemm(n.op("Flatten", {n.op("GlobalAveragePool", {n.x})}))});
       },
       1, 1},
      {"Silu",
       [](SmallNet& n) {
         const ValueId y = n.mixed(n.x);
         return n.op("Mul", {y, n.op("Sigmoid", {y})});
       },
       2, 2},
      {"LayerNormalization",
       [](SmallNet& n) {
         const ValueId rows = n.op("Reshape", {n.mixed(n.x), n.list({-1, 3, 36})});
         return n.op("LayerNormalization", {rows, n.c({36}), n.c({36})});
       },
       4, 4},
  };
  return all;
}

/// On a grid around 0 clips are operators of their own: also those that TFLite has none of.
std::vector<ParityCase> clips() {
  return {{"ConvClip",
           [](SmallNet& n) { return n.op("Clip", {n.conv(n.x), n.number(-2), n.number(1.5F)}); },
           0,
           1,
           {"onnxruntime-cpu", "tflite"},
           true,
           kSymmetric},
          {"ConvClipToOne",
           [](SmallNet& n) { return n.op("Clip", {n.conv(n.x), n.number(0), n.number(1)}); },
           0,
           1,
           {"onnxruntime-cpu", "tflite"},
           true,
           kSymmetric}};
}

std::vector<ParityCase> scheme_cases() {
  std::vector<ParityCase> all = clips();
  for (const auto& [name, scheme] :
       {std::pair{"PerTensor", kPerTensor}, std::pair{"Symmetric", kSymmetric},
        std::pair{"PerTensorSymmetric", kPerTensorSymmetric}, std::pair{"PowerOfTwo", kPowerOfTwo},
        std::pair{"PowerOfTwoSymmetric", kPowerOfTwoAround0}, std::pair{"FullRange", kFullRange},
        std::pair{"FullRangePerTensor", kFullRangePerTensor}, std::pair{"FourBits", kFourBits},
        std::pair{"FourBitsPerTensor", kFourBitsPerTensor}}) {
    for (ParityCase network : networks()) {
      if (scheme.weight_range == Scheme::WeightRange::Full) {
        if (network.name == "ConvTranspose") continue;  // ONNX Runtime has no integer kernel of it
        network.targets = {"onnxruntime-cpu"};
      }
      if (scheme.weight_bits == 4) {
        network.targets = {"tflite"};
        if (network.name == "ReluReadTwice") network.tflite_steps = 2;  // a step twice
      }
      network.name += name;
      network.scheme = scheme;
      all.push_back(std::move(network));
    }
  }
  return all;
}

class SchemeParity : public ::testing::TestWithParam<ParityCase> {};

TEST_P(SchemeParity, TheFilesComputeWhatIsSimulated) { check_parity(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Networks, SchemeParity, ::testing::ValuesIn(scheme_cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace octet
