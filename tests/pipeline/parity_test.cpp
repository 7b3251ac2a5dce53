// Small networks through the whole way, both files against the simulation, in steps of the output
// scale. The last layer is a Flatten, so that any value can be looked at as "logits".

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "eval/score.h"
#include "eval/simulated_session.h"
#include "formats/onnx/onnx_file.h"
#include "formats/tflite/writer.h"
#include "octet/octet.h"
#include "passes/net.h"
#include "passes/passes.h"
#include "quant/calibrate.h"
#include "quant/solve.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

using namespace test;

struct Case {
  std::string name;
  ValueId (*build)(Net& net);
  double onnx_steps = 0;    ///< largest difference to the simulation that is known and understood
  double tflite_steps = 1;  ///< TFLite rounds half away from zero, and by fixed-point multipliers
};

ValueId mixed(Net& net, ValueId x) { return net.op("Conv", {x, net.c({3, 3, 1, 1})}); }

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"Conv", [](Net& n) { return n.conv(n.x); }},
      {"ConvRelu", [](Net& n) { return n.op("Relu", {n.conv(n.x)}); }},
      {"ConvRelu6", [](Net& n) { return n.op("Clip", {n.conv(n.x), n.number(0), n.number(6)}); }},
      {"ConvStridePad",
       [](Net& n) {
         return n.op("Conv", {n.x, n.c({4, 3, 3, 3})},
                     {{"strides", L{2, 2}}, {"pads", L{1, 1, 1, 1}}});
       }},
      {"Depthwise",
       [](Net& n) {
         return n.op("Conv", {n.x, n.c({3, 1, 3, 3}), n.c({3})}, {{"group", int64_t{3}}});
       }},
      {"HardSwish", [](Net& n) { return n.op("HardSwish", {mixed(n, n.x)}); }, 1},
      {"HardSigmoidGate",
       [](Net& n) {
         const ValueId pooled = n.op("GlobalAveragePool", {n.x});
         const ValueId gate = n.op("HardSigmoid", {n.op("Conv", {pooled, n.c({3, 3, 1, 1})})},
                                   {{"alpha", 1.0F / 6}, {"beta", 0.5F}});
         return n.op("Mul", {n.x, gate});
       },
       1},
      {"Add", [](Net& n) { return n.op("Add", {n.x, mixed(n, n.x)}); }},
      {"AddRelu", [](Net& n) { return n.op("Relu", {n.op("Add", {n.x, mixed(n, n.x)})}); }},
      {"SubOfConstant", [](Net& n) { return n.op("Sub", {n.x, n.c({3, 1, 1})}); }},
      {"DivByConstant", [](Net& n) { return mixed(n, n.op("Div", {n.x, n.number(4)})); }},
      {"MulScalar", [](Net& n) { return mixed(n, n.op("Mul", {n.x, n.number(0.3F)})); }},
      {"MulChannels",
       [](Net& n) {
         return n.op(
             "Mul", {n.op("MaxPool", {n.x}, {{"kernel_shape", L{2, 2}}}), n.c({3, 1, 1}, 0.5F, 2)});
       },
       1},
      {"Sigmoid", [](Net& n) { return n.op("Sigmoid", {mixed(n, n.x)}); }, 1},
      {"Silu",
       [](Net& n) {
         const ValueId y = mixed(n, n.x);
         return n.op("Mul", {y, n.op("Sigmoid", {y})});
       },
       2, 2},
      {"Softmax",
       [](Net& n) {
         return n.op("Softmax", {n.gemm(n.op("Flatten", {n.op("GlobalAveragePool", {n.x})}))});
       },
       1, 1},
      {"LeakyRelu", [](Net& n) { return n.op("LeakyRelu", {mixed(n, n.x)}); }, 1},
      {"AveragePool",
       [](Net& n) { return n.op("AveragePool", {n.x}, {{"kernel_shape", L{2, 2}}}); }, 1},
      {"MaxPool", [](Net& n) { return n.op("MaxPool", {n.x}, {{"kernel_shape", L{3, 3}}}); }, 0, 0},
      {"Concat",
       [](Net& n) { return n.op("Concat", {n.x, mixed(n, n.x)}, {{"axis", int64_t{1}}}); }},
      {"Slice", [](Net& n) { return n.op("Slice", {n.x, n.list({1}), n.list({5}), n.list({2})}); },
       0, 0},
      {"Pad", [](Net& n) { return n.op("Pad", {n.x, n.list({0, 1, 1, 0, 0, 1, 2, 0})}); }, 0, 0},
      {"PadWithNumber",
       [](Net& n) { return n.op("Pad", {n.x, n.list({0, 0, 1, 1, 0, 0, 1, 1}), n.number(1.7F)}); },
       0, 0},
      {"Transpose", [](Net& n) { return n.op("Transpose", {n.x}, {{"perm", L{0, 2, 3, 1}}}); }, 0,
       0},
      {"MatMul",
       [](Net& n) {
         const ValueId rows = n.op("Reshape", {n.x, n.list({0, 3, 36})});
         return n.op("MatMul", {rows, n.c({36, 5})});
       }},
      {"MatMulOfTwo",
       [](Net& n) {
         const ValueId rows = n.op("Reshape", {n.x, n.list({0, 3, 36})});
         return n.op("MatMul", {rows, n.op("Transpose", {rows}, {{"perm", L{0, 2, 1}}})});
       }},
      {"ReduceMeanImage",
       [](Net& n) { return n.op("ReduceMean", {n.x, n.list({2, 3})}, {{"keepdims", int64_t{0}}}); },
       1},
      {"MatMulBias",
       [](Net& n) {
         const ValueId flat = n.op("Flatten", {n.op("GlobalAveragePool", {n.x})});
         return n.op("Add", {n.op("MatMul", {flat, n.c({3, 4})}), n.c({4})});
       },
       1},
  };
  return all;
}

class Parity : public ::testing::TestWithParam<Case> {};

/// Largest difference in steps of the output scale.
double steps_between(const std::vector<float>& a, const std::vector<float>& b, float scale) {
  EXPECT_EQ(a.size(), b.size());
  double worst = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(a[i] - b[i])) / scale);
  }
  return worst;
}

TEST_P(Parity, BothFilesComputeWhatIsSimulated) {
  Image net;
  ValueId out = GetParam().build(net);
  Graph graph = net.to({net.op("Flatten", {out})});
  const std::vector<std::string> names{"onnxruntime-cpu", "tflite"};
  const TargetSet targets(names);
  simplify(graph);
  lower(graph, [&](std::string_view op) { return targets.supports(op); });
  const Placement placement = place(graph, targets);

  const Tensor data = random_tensor({8, 3, 6, 6}, 31, -3, 3);
  bool given = false;
  const auto next = [&](std::vector<float>& images) -> int64_t {
    if (std::exchange(given, true)) return 0;
    images.assign(data.as<float>().begin(), data.as<float>().end());
    return 8;
  };
  const QuantTable table =
      solve(graph, placement, calibrate(graph, placement, next, {.observer = "minmax"}));
  const float step = table.at(graph.outputs()[0], graph).scale[0];
  const auto images = data.as<float>();
  const auto simulated = simulate(graph, placement, table, 1)->run(images, 8);

  const TempFolder folder;
  write_file(folder / "n.onnx", write_onnx(graph, table));
  const auto onnx = open_session(folder / "n.onnx", 1);
  EXPECT_LE(steps_between(onnx->run(images, 8), simulated, step), GetParam().onnx_steps + 0.01);
  EXPECT_EQ(inspect(folder / "n.onnx").still_float, std::vector<std::string>{});

  write_file(folder / "n.tflite", write_tflite(graph, table));
  const auto tflite = open_session(folder / "n.tflite", 1);
  std::vector<float> moved;
  for (size_t image = 0; image < 8; ++image) {
    for (size_t pixel = 0; pixel < 36; ++pixel) {
      for (size_t c = 0; c < 3; ++c) moved.push_back(images[(image * 3 + c) * 36 + pixel]);
    }
  }
  EXPECT_LE(steps_between(tflite->run(moved, 8), simulated, step), GetParam().tflite_steps + 0.01);
  EXPECT_EQ(inspect(folder / "n.tflite").still_float, std::vector<std::string>{});
}

INSTANTIATE_TEST_SUITE_P(Networks, Parity, ::testing::ValuesIn(cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace octet
