// Small networks through the whole way, both files against the simulation and against the exact
// dialects, in steps of the output scale: products, arithmetic, pooling, normalizations.
#include "pipeline/parity.h"

namespace octet {
namespace {

using namespace test;

const std::vector<ParityCase>& parity_cases() {
  static const std::vector<ParityCase> all{
      {"Conv", [](SmallNet& n) { return n.conv(n.x); }},
      {"ConvRelu", [](SmallNet& n) { return n.op("Relu", {n.conv(n.x)}); }},
      {"ConvRelu6",
       [](SmallNet& n) { return n.op("Clip", {n.conv(n.x), n.number(0), n.number(6)}); }},
      {"ConvStridePad",
       [](SmallNet& n) {
         return n.op("Conv", {n.x, n.c({4, 3, 3, 3})},
                     {{"strides", L{2, 2}}, {"pads", L{1, 1, 1, 1}}});
       }},
      {"Depthwise",
       [](SmallNet& n) {
         return n.op("Conv", {n.x, n.c({3, 1, 3, 3}), n.c({3})}, {{"group", int64_t{3}}});
       }},
      {"HardSwish", [](SmallNet& n) { return n.op("HardSwish", {n.mixed(n.x)}); }, 1},
      {"HardSigmoidGate",
       [](SmallNet& n) {
         const ValueId pooled = n.op("GlobalAveragePool", {n.x});
         const ValueId gate = n.op("HardSigmoid", {n.op("Conv", {pooled, n.c({3, 3, 1, 1})})},
                                   {{"alpha", 1.0F / 6}, {"beta", 0.5F}});
         return n.op("Mul", {n.x, gate});
       },
       1},
      {"Add", [](SmallNet& n) { return n.op("Add", {n.x, n.mixed(n.x)}); }},
      {"AddRelu", [](SmallNet& n) { return n.op("Relu", {n.op("Add", {n.x, n.mixed(n.x)})}); }},
      {"SubOfConstant", [](SmallNet& n) { return n.op("Sub", {n.x, n.c({3, 1, 1})}); }},
      {"DivByConstant", [](SmallNet& n) { return n.mixed(n.op("Div", {n.x, n.number(4)})); }},
      {"MulScalar", [](SmallNet& n) { return n.mixed(n.op("Mul", {n.x, n.number(0.3F)})); }},
      {"MulChannels",
       [](SmallNet& n) {
         return n.op(
             "Mul", {n.op("MaxPool", {n.x}, {{"kernel_shape", L{2, 2}}}), n.c({3, 1, 1}, 0.5F, 2)});
       },
       1},
      {"Sigmoid", [](SmallNet& n) { return n.op("Sigmoid", {n.mixed(n.x)}); }, 1},
      {"Silu",
       [](SmallNet& n) {
         const ValueId y = n.mixed(n.x);
         return n.op("Mul", {y, n.op("Sigmoid", {y})});
       },
       2, 2},
      {"Softmax",
       [](SmallNet& n) {
         return n.op("Softmax", {n.gemm(n.op("Flatten", {n.op("GlobalAveragePool", {n.x})}))});
       },
       1, 1},
      {"LeakyRelu", [](SmallNet& n) { return n.op("LeakyRelu", {n.mixed(n.x)}); }, 1},
      {"AveragePool",
       [](SmallNet& n) { return n.op("AveragePool", {n.x}, {{"kernel_shape", L{2, 2}}}); }, 1},
      {"MaxPool", [](SmallNet& n) { return n.op("MaxPool", {n.x}, {{"kernel_shape", L{3, 3}}}); },
       0, 0},
      {"Concat",
       [](SmallNet& n) { return n.op("Concat", {n.x, n.mixed(n.x)}, {{"axis", int64_t{1}}}); }},
      {"Slice",
       [](SmallNet& n) { return n.op("Slice", {n.x, n.list({1}), n.list({5}), n.list({2})}); }, 0,
       0},
      {"Pad", [](SmallNet& n) { return n.op("Pad", {n.x, n.list({0, 1, 1, 0, 0, 1, 2, 0})}); }, 0,
       0},
      {"PadWithNumber",
       [](SmallNet& n) {
         return n.op("Pad", {n.x, n.list({0, 0, 1, 1, 0, 0, 1, 1}), n.number(1.7F)});
       },
       0, 0},
      {"Transpose", [](SmallNet& n) { return n.op("Transpose", {n.x}, {{"perm", L{0, 2, 3, 1}}}); },
       0, 0},
      {"MatMul",
       [](SmallNet& n) {
         const ValueId rows = n.op("Reshape", {n.x, n.list({0, 3, 36})});
         return n.op("MatMul", {rows, n.c({36, 5})});
       }},
      {"MatMulOfTwo",
       [](SmallNet& n) {
         const ValueId rows = n.op("Reshape", {n.x, n.list({0, 3, 36})});
         return n.op("MatMul", {rows, n.op("Transpose", {rows}, {{"perm", L{0, 2, 1}}})});
       }},
      {"ReduceMeanImage",
       [](SmallNet& n) {
         return n.op("ReduceMean", {n.x, n.list({2, 3})}, {{"keepdims", int64_t{0}}});
       },
       1},
      {"Tanh", [](SmallNet& n) { return n.op("Tanh", {n.mixed(n.x)}); }},
      {"AbsRoot", [](SmallNet& n) { return n.op("Sqrt", {n.op("Abs", {n.mixed(n.x)})}); }, 0, 20},
      {"GeluFromTable", [](SmallNet& n) { return n.op("Gelu", {n.mixed(n.x)}); }},
      {"SubOfTwo", [](SmallNet& n) { return n.op("Sub", {n.x, n.mixed(n.x)}); }, 1, 2},
      {"NumberMinus", [](SmallNet& n) { return n.op("Sub", {n.number(2), n.mixed(n.x)}); }},
      {"DivOfTwo",
       [](SmallNet& n) {
         const ValueId divisor = n.op("Clip", {n.op("Abs", {n.x}), n.number(0.25F), n.number(1)});
         return n.op("Div", {n.mixed(n.x), divisor});
       },
       2, 3},
      {"ReduceMeanRows",
       [](SmallNet& n) {
         return n.op("ReduceMean", {n.x, n.list({-1})}, {{"keepdims", int64_t{1}}});
       },
       1},
      {"ReduceSumChannels",
       [](SmallNet& n) {
         return n.op("ReduceSum", {n.x, n.list({1})}, {{"keepdims", int64_t{0}}});
       },
       1},
      {"LayerNormalization",
       [](SmallNet& n) {
         const ValueId rows = n.op("Reshape", {n.x, n.list({0, 3, 36})});
         const ValueId normal = n.op("LayerNormalization", {rows, n.c({36}), n.c({36})});
         return n.op("Add", {n.op("MatMul", {normal, n.c({36, 5})}), n.c({5})});
       },
       3, 4},
      // A class token that is far smaller than what stands beside it.
      {"LayerNormalizationWithAClassToken",
       [](SmallNet& n) {
         const ValueId rows = n.op("Reshape", {n.x, n.list({0, 3, 36})});
         const ValueId tokens = n.op("Pad", {rows, n.list({0, 1, 0, 0, 0, 0})});
         const ValueId placed = n.op("Add", {tokens, n.c({1, 4, 36}, -0.02F, 0.02F)});
         return n.op("LayerNormalization", {placed, n.c({36}), n.c({36})});
       },
       3, 4},
      {"LayerNormalizationAlone",
       [](SmallNet& n) {
         const ValueId rows = n.op("Reshape", {n.x, n.list({0, 3, 36})});
         return n.op("LayerNormalization", {rows, n.c({36}), n.c({36})});
       },
       3, 4},
      {"GroupNormalization",
       [](SmallNet& n) {
         return n.op("GroupNormalization", {n.x, n.c({3}), n.c({3})}, {{"num_groups", int64_t{1}}});
       },
       3, 4},
      {"ReluBesideOthers",
       [](SmallNet& n) {
         const ValueId positive = n.op("Relu", {n.mixed(n.x)});
         return n.op("Concat", {positive, n.mixed(n.x)}, {{"axis", int64_t{1}}});
       }},
      {"BatchNormalizationFirst",
       [](SmallNet& n) {
         const ValueId y =
             n.op("BatchNormalization", {n.x, n.c({3}), n.c({3}), n.c({3}), n.c({3}, 0.5F, 2)});
         return n.op("Relu", {y});
       }},
      {"SoftmaxOfChannels",
       [](SmallNet& n) { return n.op("Softmax", {n.mixed(n.x)}, {{"axis", int64_t{1}}}); }, 1, 1},
      {"MatMulBias",
       [](SmallNet& n) {
         const ValueId flat = n.op("Flatten", {n.op("GlobalAveragePool", {n.x})});
         return n.op("Add", {n.op("MatMul", {flat, n.c({3, 4})}), n.c({4})});
       },
       1},
  };
  return all;
}

class Parity : public ::testing::TestWithParam<ParityCase> {};

TEST_P(Parity, BothFilesComputeWhatIsSimulated) { check_parity(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Networks, Parity, ::testing::ValuesIn(parity_cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace octet
