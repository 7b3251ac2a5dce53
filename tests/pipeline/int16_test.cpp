// Networks of 16-bit activations through the whole way: the TFLite file against the simulation and,
// bit for bit, against the exact dialect.
#include "pipeline/parity.h"
#include "quant/sixteen_bits.h"
#include "support/error_of.h"

namespace octet {
namespace {

using namespace test;

struct WideCase {
  std::string name;
  ValueId (*build)(SmallNet& net);
  double steps = 2;  ///< largest difference to the simulation in float, of 65,536
};

void PrintTo(const WideCase& held, std::ostream* out) { *out << held.name; }

const std::vector<WideCase>& wide_cases() {
  static const std::vector<WideCase> all{
      {"ConvRelu", [](SmallNet& n) { return n.op("Relu", {n.conv(n.x)}); }},
      {"ConvRelu6",
       [](SmallNet& n) { return n.op("Clip", {n.conv(n.x), n.number(0), n.number(6)}); }},
      {"ConvClippedAtOne",
       [](SmallNet& n) { return n.op("Clip", {n.conv(n.x), n.number(0), n.number(1)}); }},
      {"ConvStridePad",
       [](SmallNet& n) {
         return n.op("Conv", {n.x, n.c({4, 3, 3, 3})},
                     {{"strides", L{2, 2}}, {"pads", L{1, 1, 1, 1}}});
       }},
      {"ConvPaddedUnevenly",
       [](SmallNet& n) {
         return n.op("Conv", {n.x, n.c({4, 3, 3, 3})}, {{"pads", L{2, 0, 1, 1}}});
       }},
      {"Depthwise",
       [](SmallNet& n) {
         return n.op("Conv", {n.x, n.c({3, 1, 3, 3}), n.c({3})}, {{"group", int64_t{3}}});
       }},
      {"ConvClippedOddly",
       [](SmallNet& n) { return n.op("Clip", {n.conv(n.x), n.number(-1.5F), n.number(2)}); }},
      {"HardSwish", [](SmallNet& n) { return n.op("HardSwish", {n.mixed(n.x)}); }, 4},
      {"HardSigmoidGate",
       [](SmallNet& n) {
         const ValueId pooled = n.op("GlobalAveragePool", {n.x});
         const ValueId gate = n.op("HardSigmoid", {n.op("Conv", {pooled, n.c({3, 3, 1, 1})})},
                                   {{"alpha", 1.0F / 6}, {"beta", 0.5F}});
         return n.op("Mul", {n.x, gate});
       },
       3},
      {"AddRelu", [](SmallNet& n) { return n.op("Relu", {n.op("Add", {n.x, n.mixed(n.x)})}); }, 3},
      {"SubOfTwo", [](SmallNet& n) { return n.op("Sub", {n.x, n.mixed(n.x)}); }, 3},
      {"MulChannels",
       [](SmallNet& n) {
         return n.op(
             "Mul", {n.op("MaxPool", {n.x}, {{"kernel_shape", L{2, 2}}}), n.c({3, 1, 1}, 0.5F, 2)});
       }},
      {"MaxPoolPadded",
       [](SmallNet& n) {
         return n.op("MaxPool", {n.x}, {{"kernel_shape", L{3, 3}}, {"pads", L{1, 1, 0, 0}}});
       }},
      {"AveragePool",
       [](SmallNet& n) { return n.op("AveragePool", {n.x}, {{"kernel_shape", L{2, 2}}}); }},
      {"MeanRelu",
       [](SmallNet& n) { return n.op("Relu", {n.op("GlobalAveragePool", {n.mixed(n.x)})}); }, 3},
      {"Concat",
       [](SmallNet& n) { return n.op("Concat", {n.x, n.mixed(n.x)}, {{"axis", int64_t{1}}}); }},
      {"SliceTransposed",
       [](SmallNet& n) {
         const ValueId part = n.op("Slice", {n.x, n.list({1}), n.list({5}), n.list({2})});
         return n.op("Transpose", {part}, {{"perm", L{0, 2, 3, 1}}});
       }},
      {"PadWithNumber",
       [](SmallNet& n) {
         return n.op("Pad", {n.x, n.list({0, 0, 1, 1, 0, 0, 1, 1}), n.number(1.7F)});
       }},
      {"Sigmoid", [](SmallNet& n) { return n.op("Sigmoid", {n.mixed(n.x)}); }, 8},
      {"Tanh", [](SmallNet& n) { return n.op("Tanh", {n.mixed(n.x)}); }, 16},
      {"SoftmaxOfChannels",
       [](SmallNet& n) { return n.op("Softmax", {n.mixed(n.x)}, {{"axis", int64_t{1}}}); }, 40},
      {"GeluByTable", [](SmallNet& n) { return n.op("Gelu", {n.mixed(n.x)}); }},
      {"AbsRoot", [](SmallNet& n) { return n.op("Sqrt", {n.op("Abs", {n.mixed(n.x)})}); }, 200},
      {"ReduceSumChannels",
       [](SmallNet& n) {
         return n.op("ReduceSum", {n.x, n.list({1})}, {{"keepdims", int64_t{0}}});
       }},
      {"MatMulOfTwo",
       [](SmallNet& n) {
         const ValueId rows = n.op("Reshape", {n.x, n.list({0, 3, 36})});
         return n.op("MatMul", {rows, n.op("Transpose", {rows}, {{"perm", L{0, 2, 1}}})});
       }},
      {"LayerNormalization",
       [](SmallNet& n) {
         const ValueId rows = n.op("Reshape", {n.x, n.list({0, 3, 36})});
         const ValueId normal = n.op("LayerNormalization", {rows, n.c({36}), n.c({36})});
         return n.op("Add", {n.op("MatMul", {normal, n.c({36, 5})}), n.c({5})});
       },
       8},
      {"ResizeLinear",
       [](SmallNet& n) {
         return n.op("Resize", {n.x, kAbsent, kAbsent, n.list({12, 9})},
                     {{"mode", std::string("linear")}, {"axes", L{2, 3}}});
       },
       200},  // places between pixels are counted in 1/1024
      {"SpaceToDepth",
       [](SmallNet& n) { return n.op("SpaceToDepth", {n.x}, {{"blocksize", int64_t{3}}}); }},
      {"DepthToSpace",
       [](SmallNet& n) {
         return n.op("DepthToSpace", {n.mixed(n.x, 8)}, {{"blocksize", int64_t{2}}});
       }},
  };
  return all;
}

class Int16Parity : public ::testing::TestWithParam<WideCase> {};

TEST_P(Int16Parity, TheFileComputesWhatIsSimulated) {
  SmallNet small;
  small.graph.add_output(small.op("Flatten", {GetParam().build(small)}));
  const Tensor data = random_tensor({4, 3, 6, 6}, 31, -3, 3);
  const auto images = data.as<float>();
  const Quantized net(std::move(small.graph), {"tflite-int16x8"}, images, 4,
                      {.activation_bits = 16});
  const TempFolder folder;
  write_file(folder / "n.tflite", write_tflite(net.graph, net.table));
  const auto laid = moved_last(images, 3, 36);
  const auto deployed = open_session(folder / "n.tflite", 1)->run(laid, 4);
  const auto exact =
      simulate(net.graph, net.placement, net.table, tflite_dialect(), 1)->run(images, 4);
  EXPECT_EQ(deployed, exact);
  const auto simulated = simulate(net.graph, net.placement, net.table, 1)->run(images, 4);
  EXPECT_LE(steps_between(deployed, simulated, net.step()), GetParam().steps);
  EXPECT_EQ(inspect(folder / "n.tflite").still_float, std::vector<std::string>{});
}

INSTANTIATE_TEST_SUITE_P(Networks, Int16Parity, ::testing::ValuesIn(wide_cases()),
                         [](const auto& tested) { return tested.param.name; });

TEST(Int16, LetsConvolutionsApplyTheirRelu) {
  SmallNet small;
  small.graph.add_output(small.op("Flatten", {small.op("Relu", {small.conv(small.x)})}));
  const Tensor data = random_tensor({1, 3, 6, 6}, 31, -3, 3);
  const Quantized net(std::move(small.graph), {"tflite-int16x8"}, data.as<float>(), 1,
                      {.activation_bits = 16});
  const TempFolder folder;
  write_file(folder / "n.tflite", write_tflite(net.graph, net.table));
  std::string operators;
  for (const OperatorUse& use : open_session(folder / "n.tflite", 1)->operators()) {
    operators += use.name + ":" + use.arithmetic + " ";
  }
  EXPECT_EQ(operators,
            "QUANTIZE:int16 CONV_2D:int16 TRANSPOSE:int16 RESHAPE:int16 DEQUANTIZE:float32 ");
}

TEST(Int16, RefusesTargetsOfOtherActivations) {
  const auto message = [](std::vector<std::string> names, int bits) {
    return message_of([&] { check_activation_bits(TargetSet(names), {.activation_bits = bits}); });
  };
  EXPECT_EQ(message({"onnxruntime-cpu"}, 16),
            "the target 'onnxruntime-cpu' has integer kernels of 8-bit activations, not of 16 "
            "bits; choose 8 bits, or the target 'tflite-int16x8' alone");
  EXPECT_EQ(message({"tflite-int16x8"}, 8),
            "the target 'tflite-int16x8' has integer kernels of 16-bit activations, not of 8 "
            "bits; choose 16 bits, or a target of 8");
  EXPECT_EQ(message({"tflite"}, 4), "4 bits for activations; wanted 8 or 16");
}

}  // namespace
}  // namespace octet
