// What the files of one network store: the same integers, each once, from which the network can be
// made again.
#include "pipeline/twin_files.h"

#include "pipeline/parity.h"

namespace octet {
namespace {

using namespace test;

const std::vector<std::string> kBoth{"onnxruntime-cpu", "tflite"};

ValueId attention(SmallNet& n) {
  const ValueId flat = n.op("Reshape", {n.x, n.list({0, 3, 36})});
  const ValueId tokens = n.op("Transpose", {flat}, {{"perm", L{0, 2, 1}}});
  const ValueId q = n.op("MatMul", {tokens, n.c({3, 3})});
  const ValueId k = n.op("MatMul", {tokens, n.c({3, 3})});
  const ValueId v = n.op("MatMul", {tokens, n.c({3, 3})});
  const ValueId turned = n.op("Transpose", {k}, {{"perm", L{0, 2, 1}}});
  const ValueId scores = n.op("Softmax", {n.op("MatMul", {q, turned})});
  return n.op("MatMul", {scores, v});
}

const std::vector<ParityCase>& twin_cases() {
  static const std::vector<ParityCase> all{
      {"Conv", [](SmallNet& n) { return n.op("Relu", {n.conv(n.x)}); }},
      {"ConvWithoutBias", [](SmallNet& n) { return n.mixed(n.x); }},
      {"Depthwise",
       [](SmallNet& n) {
         return n.op("Conv", {n.x, n.c({3, 1, 3, 3}), n.c({3})}, {{"group", int64_t{3}}});
       }},
      {"Grouped",
       [](SmallNet& n) {
         return n.op("Conv", {n.mixed(n.x, 4), n.c({6, 2, 3, 3}), n.c({6})},
                     {{"group", int64_t{2}}});
       }},
      {"Gemm",
       [](SmallNet& n) { return n.gemm(n.op("Flatten", {n.op("GlobalAveragePool", {n.x})})); }},
      {"SquareMatMul",
       [](SmallNet& n) {
         return n.op("MatMul", {n.op("Reshape", {n.x, n.list({0, 18, 6})}), n.c({6, 6})});
       }},
      {"SharedWeight",
       [](SmallNet& n) {
         const ValueId w = n.c({3, 3, 1, 1});
         return n.op("Concat", {n.op("Conv", {n.x, w}), n.op("Conv", {n.op("Relu", {n.x}), w})},
                     {{"axis", int64_t{1}}});
       }},
      {"AddOfConstant", [](SmallNet& n) { return n.op("Add", {n.mixed(n.x), n.c({3, 6, 6})}); }},
      {"ConstantInTwoLayouts",
       [](SmallNet& n) {
         const ValueId c = n.c({3, 1, 1}, 0.5F, 2);
         const ValueId image = n.op("Mul", {n.mixed(n.x), c});
         const ValueId other = n.op("Mul", {n.op("Relu", {n.x}), c});
         return n.op("Add", {image, other});
       }},
      {"HardSwish", [](SmallNet& n) { return n.op("HardSwish", {n.mixed(n.x)}); }},
      {"Gelu", [](SmallNet& n) { return n.op("Gelu", {n.mixed(n.x)}); }},
      {"Sigmoid", [](SmallNet& n) { return n.op("Sigmoid", {n.mixed(n.x)}); }},
      {"SumOfTables",
       [](SmallNet& n) {
         const ValueId y = n.mixed(n.x);
         return n.op("Add", {n.op("Gelu", {y}), n.op("Erf", {y})});
       }},
      {"TablesOfATable",
       [](SmallNet& n) {
         const ValueId y = n.op("Gelu", {n.mixed(n.x)});
         return n.op("Add", {n.op("Erf", {y}), n.op("Sin", {y})});
       }},
      {"SplitWithAnUnreadPart", [](SmallNet& n) { return n.split(n.mixed(n.x), {1, 2}, 1)[1]; }},
      {"LayerNormalization",
       [](SmallNet& n) {
         const ValueId rows = n.op("Reshape", {n.x, n.list({0, 3, 36})});
         const ValueId normal = n.op("LayerNormalization", {rows, n.c({36}), n.c({36})});
         return n.op("Add", {n.op("MatMul", {normal, n.c({36, 5})}), n.c({5})});
       }},
      {"Attention", attention},
      {"Max", [](SmallNet& n) { return n.op("Max", {n.x, n.mixed(n.x), n.c({3, 1, 1})}); }},
      {"PadWithNumber",
       [](SmallNet& n) {
         return n.op("Pad", {n.x, n.list({0, 0, 1, 1, 0, 0, 1, 1}), n.number(1.7F)});
       }},
      {"AveragePool",
       [](SmallNet& n) { return n.op("AveragePool", {n.x}, {{"kernel_shape", L{2, 2}}}); }},
  };
  return all;
}

struct Small {
  Graph original;
  Quantized net;

  explicit Small(const ParityCase& held) : Small(graph_of(held)) {}

 private:
  explicit Small(const Graph& graph)
      : original(graph), net(graph, kBoth, random_tensor({8, 3, 6, 6}, 31, -3, 3).as<float>(), 8) {}
  static Graph graph_of(const ParityCase& held) {
    SmallNet small;
    small.graph.add_output(small.op("Flatten", {held.build(small)}));
    return std::move(small.graph);
  }
};

class TwinFile : public ::testing::TestWithParam<ParityCase> {};

TEST_P(TwinFile, StoresTheSame) {
  const Small small(GetParam());
  TwinFiles(small.net.graph, small.net.table, kBoth).check_equal();
}

TEST_P(TwinFile, IsMinimal) {
  const Small small(GetParam());
  TwinFiles(small.net.graph, small.net.table, kBoth).check_minimal();
}

TEST_P(TwinFile, GivesTheNetworkBack) {
  const Small small(GetParam());
  TwinFiles(small.net.graph, small.net.table, kBoth).check_adopted(small.original);
}

/// Weights move in training, and their scales with them.
TEST_P(TwinFile, GivesTheTrainedNetworkBack) {
  Small small(GetParam());
  Quantized& net = small.net;
  unsigned seed = 0;
  for (const auto& [id, group] : net.placement.group_of) {
    if (!net.graph.is_constant(id)) continue;
    Tensor& weight = *net.graph.value(id).constant;
    const Tensor step = random_tensor(weight.shape, ++seed, -0.05F, 0.05F);
    for (size_t i = 0; i < weight.as<float>().size(); ++i) {
      weight.as<float>()[i] += step.as<float>()[i];
    }
  }
  solve_constants(net.graph, net.placement, net.table);
  const TwinFiles files(net.graph, net.table, kBoth);
  files.check_equal();
  files.check_adopted(small.original);
}

INSTANTIATE_TEST_SUITE_P(Networks, TwinFile, ::testing::ValuesIn(twin_cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace octet
