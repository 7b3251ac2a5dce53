// Nodes on 16-bit activations among those of 8: the TFLite file against the simulation and, bit for
// bit, against the exact dialects of both sets of kernels.
#include "api/stages.h"
#include "pipeline/parity.h"
#include "pipeline/residual_net.h"

namespace octet {
namespace {

using namespace test;

/// Conv_0 - Sigmoid_1 - Mul_2 (with Conv_0) - Concat_3 (with x) - HardSwish_4 - MaxPool_5 - Gelu_6
/// - Softmax_7 (of channels) - Mul_8 (by a constant that Mul_9 has too) - Mul_9 - Clip_10 -
/// Tanh_11.
ValueId functions(SmallNet& n) {
  const ValueId x = n.mixed(n.x);
  const ValueId gated = n.op("Mul", {x, n.op("Sigmoid", {x})});
  const ValueId joined = n.op("Concat", {gated, n.x}, {{"axis", int64_t{1}}});
  const ValueId pooled = n.op("MaxPool", {n.op("HardSwish", {joined})},
                              {{"kernel_shape", L{3, 3}}, {"pads", L{1, 1, 0, 0}}});
  const ValueId shares = n.op("Softmax", {n.op("Gelu", {pooled})}, {{"axis", int64_t{1}}});
  const ValueId factors = n.c({6, 1, 1}, 0.5F, 2);
  const ValueId scaled = n.op("Mul", {n.op("Mul", {shares, factors}), factors});
  return n.op("Tanh", {n.op("Clip", {scaled, n.number(0), n.number(0.6F)})});
}

/// The simulation in float may be a step off; an 8-bit step is many of an output on 16 bits.
constexpr double kNarrowSteps = 4;
constexpr double kWideSteps = 2 * 256;
/// HARD_SWISH and SOFTMAX of 8 bits are further off, and what follows them here makes more of it.
constexpr double kFunctionSteps = 8;

ParityCase of(std::string name, ValueId (*build)(SmallNet&), std::vector<std::string> overrides,
              bool in_float = false, double steps = kNarrowSteps) {
  return {.name = std::move(name),
          .build = build,
          .tflite_steps = steps,
          .targets = {"tflite"},
          .overrides = std::move(overrides),
          .in_float = in_float};
}

std::vector<ParityCase> width_cases() {
  return {
      of("OneConvolution", residual, {"Conv_2=int16"}),
      of("FirstLayer", residual, {"Conv_0=int16"}),
      of("LastLayer", residual, {"Gemm_9=int16", "Flatten_10=int16"}, false, kWideSteps),
      of("Sum", residual, {"Add_5=int16"}),
      of("Block", residual, {"Conv_2=int16", "Conv_4=int16", "Add_5=int16"}),
      of("AllButOne", residual, {"*=int16", "Conv_4=int8"}, false, kWideSteps),
      of("All", residual, {"*=int16"}),
      of("BesideFloat", residual, {"Conv_2=int16", "Conv_4=float"}, true),
      of("AroundFloat", residual, {"*=int16", "Conv_4=float", "Conv_2=int8"}, true, kWideSteps),
      of("InsideFloat", residual, {"*=float", "Conv_4=int16"}, true),
      of("PerTensor", residual, {"Conv_2=int16,per-tensor", "Conv_4=symmetric"}),
      of("FunctionsOn8Bits", functions, {}, false, kFunctionSteps),
      of("FunctionsInTurns", functions,
         {"Sigmoid_1=int16", "Concat_3=int16", "MaxPool_5=int16", "Softmax_7=int16", "Mul_9=int16",
          "Tanh_11=int16"}),
      of("OtherFunctions", functions,
         {"*=int16", "Sigmoid_1=int8", "Concat_3=int8", "MaxPool_5=int8", "Softmax_7=int8",
          "Mul_9=int8", "Tanh_11=int8"},
         false, kFunctionSteps * 256),
      of("Gate", functions, {"Conv_0=int16", "Sigmoid_1=int16", "Mul_2=int16"}),
  };
}

class WidthParity : public ::testing::TestWithParam<ParityCase> {};

TEST_P(WidthParity, TheFileComputesWhatIsSimulated) {
  const ParityCase& held = GetParam();
  SmallNet small;
  small.graph.add_output(small.op("Flatten", {held.build(small)}));
  const Tensor data = random_tensor({8, 3, 6, 6}, 31, -3, 3);
  const auto images = data.as<float>();
  const Quantized net(std::move(small.graph), held.targets, images, 8, {},
                      parse_overrides(held.overrides));
  const auto laid = moved_last(images, 3, 36);
  check_file(net, "tflite", laid, images, 8, held.tflite_steps, held.in_float);
  // Its resolver has no CONCATENATION of 16 bits.
  const bool joins = held.build == functions;
  if (!joins) check_reference(net, laid, images, 8);
  TwinFiles(net.graph, net.table, {"tflite"}).check_minimal();
}

INSTANTIATE_TEST_SUITE_P(Networks, WidthParity, ::testing::ValuesIn(width_cases()),
                         [](const auto& tested) { return tested.param.name; });

TEST(Widths, AreChangedOnceForAllReaders) {
  SmallNet small;
  small.graph.add_output(small.op("Flatten", {residual(small)}));
  const Tensor data = random_tensor({1, 3, 6, 6}, 31, -3, 3);
  const Quantized net(std::move(small.graph), {"tflite"}, data.as<float>(), 1, {},
                      parse_overrides({"Conv_2=int16", "Conv_4=int16", "Add_5=int16"}));
  const TempFolder folder;
  write_file(folder / "n.tflite", write_tflite(net.graph, net.table));
  std::string operators;
  for (const OperatorUse& use : open_session(folder / "n.tflite", 1)->operators()) {
    operators += use.name + ":" + use.arithmetic + " ";
  }
  EXPECT_EQ(
      operators,
      "QUANTIZE:int8 CONV_2D:int8 CAST:int32 ADD:int32 GATHER:int16 CONV_2D:int16 "
      "CONV_2D:int16 ADD:int16 QUANTIZE:int8 MEAN:int8 FULLY_CONNECTED:int8 DEQUANTIZE:float32 ");
}

/// 1 / x of a copy on a finer grid need not hold what its source cannot tell from 0.
TEST(Widths, TablesBehindCopiesReachNoFurther) {
  const auto largest = [](const std::vector<std::string>& overrides) {
    SmallNet small;
    const ValueId inverse = small.op("Reciprocal", {small.op("Abs", {small.mixed(small.x)})});
    small.graph.add_output(small.op("Flatten", {small.mixed(inverse)}));
    const Tensor data = random_tensor({64, 3, 6, 6}, 31, -3, 3);
    const Quantized net(std::move(small.graph), {"tflite"}, data.as<float>(), 64, {},
                        parse_overrides(overrides));
    const QuantParams& grid = net.table.at(inverse, net.graph);
    return grid.scale[0] * static_cast<float>(grid.high - grid.zero_point[0]);
  };
  EXPECT_NEAR(largest({"Abs_1=int16", "Reciprocal_2=int16"}), largest({}), 1);
}

/// The network of some overrides, placed.
QuantizedNetwork placed(ValueId (*build)(SmallNet&), const std::vector<std::string>& overrides) {
  SmallNet small;
  small.graph.add_output(small.op("Flatten", {build(small)}));
  infer_shapes(small.graph);
  const Deployment deployment =
      deployment_of({.targets = {"tflite"}, .overrides = parse_overrides(overrides)});
  QuantizedNetwork network = place_network(std::move(small.graph), deployment);
  refuse_float(network, deployment.targets);
  return network;
}

/// 16 bits have no kernel of HardSwish and ReduceSum, and 8-bit neighbours keep theirs.
TEST(Widths, OperatorsOf8BitsAloneAreLoweredWhereTheyHave16) {
  const QuantizedNetwork network = placed(
      [](SmallNet& n) {
        const ValueId x = n.op("HardSwish", {n.op("HardSwish", {n.mixed(n.x)})});
        return n.op("ReduceSum", {x, n.list({1})}, {{"keepdims", int64_t{0}}});
      },
      {"HardSwish_2=int16", "ReduceSum_3=int16"});
  std::string operators;
  for (const NodeId id : network.graph.order()) operators += network.graph.node(id).op + " ";
  EXPECT_EQ(operators,
            "Conv HardSwish Clip Mul Add Clip Mul Transpose MatMul Reshape Clip Flatten ");
  EXPECT_TRUE(network.placement.in_float.empty());
}

TEST(Widths, AreRefusedForNodesWithoutAFormOf16Bits) {
  EXPECT_EQ(message_of([] {
              placed([](SmallNet& n) { return n.op("Tile", {n.x, n.list({1, 2, 1, 1})}); },
                     {"Tile_0=int16"});
            }),
            "node \"Tile_0\" (Tile): tflite-int16x8 has no integer form of it; leave it on 8 bits: "
            "'Tile_0=int8', after other overrides");
}

}  // namespace
}  // namespace octet
