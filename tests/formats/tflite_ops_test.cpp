// Every operator that octet writes to TFLite, run there and held against the network in float on
// the same grids.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "support/graph_builder.h"
#include "support/tflite_network.h"

namespace octet {
namespace {

using test::activation_grid;
using test::channels_last;
using test::NetworkBuilder;
using test::numbers;
using test::random_tensor;
using test::rounded_output;
using test::TfliteNetwork;
using Ints = std::vector<int64_t>;

struct Case {
  const char* name;
  Shape input;
  std::function<ValueId(NetworkBuilder&, ValueId)> build;
  const char* operators;  ///< between QUANTIZE and DEQUANTIZE
  float steps = 1;        ///< largest difference, in steps of the output
  int64_t batch = -1;     ///< of the graph's input
};

void PrintTo(const Case& held, std::ostream* out) { *out << held.name; }

std::string case_name(const testing::TestParamInfo<Case>& held) { return held.param.name; }

class TfliteCase : public testing::TestWithParam<Case> {};

TEST_P(TfliteCase, ComputesTheNetworkOnItsGrids) {
  const Case& held = GetParam();
  const Tensor image = random_tensor(held.input, 7);
  NetworkBuilder network;
  Shape open = held.input;
  open[0] = held.batch;
  const ValueId out = held.build(network, network.input(open));
  network.finish(out, image);
  TfliteNetwork opened(network.graph, network.table);
  EXPECT_EQ(opened.operators(), held.operators);

  const Tensor expected = rounded_output(network.graph, network.table, image);
  const std::vector<float> wanted = channels_last(expected);
  const std::vector<float> got = opened.session().run(channels_last(image), 1);
  ASSERT_EQ(got.size(), wanted.size());
  const float step = network.table.find(out)->scale[0];
  float worst = 0;
  size_t different = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    worst = std::max(worst, std::abs(got[i] - wanted[i]) / step);
    different += std::abs(got[i] - wanted[i]) > step / 2 ? 1 : 0;
  }
  EXPECT_LE(worst, held.steps + 1e-3F);
  RecordProperty("worst_steps", std::to_string(worst));
  RecordProperty("different", std::to_string(different));
}

ValueId conv(NetworkBuilder& net, ValueId x, Shape weight, Ints pads, Ints strides,
             int64_t group = 1, int64_t bias = -1) {
  const int64_t count = bias < 0 ? weight[0] : bias;
  return net.weighted("Conv", x, std::move(weight), 0, count,
                      {{"pads", pads}, {"strides", strides}, {"group", group}});
}

ValueId clip(NetworkBuilder& net, ValueId x, float low, float high) {
  return net.op("Clip",
                {x, net.parameter(Tensor::scalar(low)), net.parameter(Tensor::scalar(high))});
}

const Case kConvolutions[] = {
    {"ConvValid",
     {1, 3, 8, 7},
     [](auto& net, ValueId x) { return conv(net, x, {5, 3, 3, 3}, {0, 0, 0, 0}, {1, 1}); },
     "CONV_2D"},
    {"ConvSame",
     {1, 3, 8, 7},
     [](auto& net, ValueId x) { return conv(net, x, {5, 3, 3, 3}, {1, 1, 1, 1}, {1, 1}); },
     "CONV_2D"},
    {"ConvSameStride2OddSize",
     {1, 3, 9, 7},
     [](auto& net, ValueId x) { return conv(net, x, {5, 3, 3, 3}, {1, 1, 1, 1}, {2, 2}); },
     "CONV_2D"},
    {"ConvSymmetricPadsStride2EvenSize",
     {1, 3, 8, 8},
     [](auto& net, ValueId x) { return conv(net, x, {5, 3, 3, 3}, {1, 1, 1, 1}, {2, 2}); },
     "PAD CONV_2D"},
    {"ConvPadsAfterStride2EvenSize",
     {1, 3, 8, 8},
     [](auto& net, ValueId x) { return conv(net, x, {5, 3, 3, 3}, {0, 0, 1, 1}, {2, 2}); },
     "CONV_2D"},
    {"ConvUnevenPads",
     {1, 3, 8, 6},
     [](auto& net, ValueId x) { return conv(net, x, {5, 3, 3, 3}, {2, 0, 1, 3}, {1, 2}); },
     "PAD CONV_2D"},
    {"ConvDilated",
     {1, 3, 9, 9},
     [](auto& net, ValueId x) {
       return net.weighted("Conv", x, {4, 3, 3, 3}, 0, 4,
                           {{"pads", Ints{2, 2, 2, 2}}, {"dilations", Ints{2, 2}}});
     },
     "CONV_2D"},
    {"ConvWithoutBias",
     {1, 3, 6, 6},
     [](auto& net, ValueId x) { return conv(net, x, {5, 3, 1, 1}, {0, 0, 0, 0}, {1, 1}, 1, 0); },
     "CONV_2D"},
    {"Grouped",
     {1, 4, 6, 6},
     [](auto& net, ValueId x) { return conv(net, x, {6, 2, 3, 3}, {1, 1, 1, 1}, {1, 1}, 2); },
     "CONV_2D"},
    {"Depthwise",
     {1, 4, 7, 7},
     [](auto& net, ValueId x) { return conv(net, x, {4, 1, 3, 3}, {1, 1, 1, 1}, {1, 1}, 4); },
     "DEPTHWISE_CONV_2D"},
    {"DepthwiseMultiplier",
     {1, 4, 8, 8},
     [](auto& net, ValueId x) { return conv(net, x, {8, 1, 3, 3}, {1, 1, 1, 1}, {2, 2}, 4); },
     "PAD DEPTHWISE_CONV_2D"},
    {"ConvRelu",
     {1, 3, 6, 6},
     [](auto& net, ValueId x) {
       return net.op("Relu", {net.inside(conv(net, x, {5, 3, 3, 3}, {1, 1, 1, 1}, {1, 1}))});
     },
     "CONV_2D"},
    {"ConvClipToSix",
     {1, 3, 6, 6},
     [](auto& net, ValueId x) {
       const ValueId inner = net.inside(conv(net, x, {5, 3, 3, 3}, {1, 1, 1, 1}, {1, 1}));
       return net.on(clip(net, inner, 0, 6), activation_grid(-1, 7));
     },
     "CONV_2D"},
    {"ConvClipToOne",
     {1, 3, 6, 6},
     [](auto& net, ValueId x) {
       const ValueId inner = net.inside(conv(net, x, {5, 3, 3, 3}, {1, 1, 1, 1}, {1, 1}));
       return net.on(clip(net, inner, 0, 1), activation_grid(0, 1));
     },
     "CONV_2D"},
    {"DepthwiseRelu",
     {1, 4, 6, 6},
     [](auto& net, ValueId x) {
       return net.op("Relu", {net.inside(conv(net, x, {4, 1, 3, 3}, {1, 1, 1, 1}, {1, 1}, 4))});
     },
     "DEPTHWISE_CONV_2D"},
};
INSTANTIATE_TEST_SUITE_P(Convolutions, TfliteCase, testing::ValuesIn(kConvolutions), case_name);

const Case kElementwise[] = {
    {"AddImages",
     {1, 4, 5, 5},
     [](auto& net, ValueId x) {
       return net.op("Add", {x, conv(net, x, {4, 4, 1, 1}, {0, 0, 0, 0}, {1, 1})});
     },
     "CONV_2D ADD"},
    {"AddRelu",
     {1, 4, 5, 5},
     [](auto& net, ValueId x) {
       const ValueId y = conv(net, x, {4, 4, 1, 1}, {0, 0, 0, 0}, {1, 1});
       return net.op("Relu", {net.inside(net.op("Add", {x, y}))});
     },
     "CONV_2D ADD"},
    {"MulByChannels",
     {1, 4, 5, 6},
     [](auto& net, ValueId x) {
       const ValueId gate = net.op("GlobalAveragePool", {x});
       return net.op("Mul", {conv(net, x, {4, 4, 1, 1}, {0, 0, 0, 0}, {1, 1}), gate});
     },
     "MEAN CONV_2D MUL"},
    {"AddConstantPerChannel",
     {1, 4, 5, 6},
     [](auto& net, ValueId x) { return net.op("Add", {x, net.data(random_tensor({4, 1, 1}, 3))}); },
     "ADD"},
    {"SubConstantPerChannel",
     {1, 4, 5, 6},
     [](auto& net, ValueId x) {
       return net.op("Sub", {net.data(random_tensor({1, 4, 1, 1}, 3)), x});
     },
     "SUB"},
    {"MulConstantPerPixel",
     {1, 4, 5, 6},
     [](auto& net, ValueId x) { return net.op("Mul", {x, net.data(random_tensor({5, 6}, 3))}); },
     "MUL"},
    {"AddScalar",
     {1, 4, 5, 6},
     [](auto& net, ValueId x) { return net.op("Add", {x, net.data(Tensor::scalar(0.3F))}); },
     "ADD"},
    {"LoweredHardSwish",
     {1, 4, 5, 6},
     [](auto& net, ValueId x) {
       const ValueId y = conv(net, x, {4, 4, 1, 1}, {0, 0, 0, 0}, {1, 1});
       net.on(y, activation_grid(-5, 5));
       QuantParams sixth = activation_grid(-5, 5);
       sixth.scale[0] = static_cast<float>(static_cast<double>(sixth.scale[0]) * (1.0F / 6));
       const ValueId share = net.op_on(sixth, "Mul", {y, net.parameter(Tensor::scalar(1.0F / 6))});
       const ValueId sum = net.inside(net.op("Add", {share, net.data(Tensor::scalar(0.5F))}));
       const ValueId gate = net.on(clip(net, sum, 0, 1), activation_grid(0, 1));
       return net.op("Mul", {y, gate});
     },
     "CONV_2D MUL ADD MUL"},
    {"Relu", {1, 4, 5, 5}, [](auto& net, ValueId x) { return net.op("Relu", {x}); }, "RELU"},
    {"ClipToSix", {1, 4, 5, 5}, [](auto& net, ValueId x) { return clip(net, x, 0, 6); }, "RELU6"},
    {"ClipByTheGrid",
     {1, 4, 5, 5},
     [](auto& net, ValueId x) {
       return net.on(clip(net, x, -0.5F, 0.75F), activation_grid(-0.5F, 0.75F));
     },
     "QUANTIZE"},
    {"LeakyRelu",
     {1, 4, 5, 5},
     [](auto& net, ValueId x) { return net.op("LeakyRelu", {x}, {{"alpha", 0.2F}}); },
     "LEAKY_RELU"},
    {"HardSwish",
     {1, 4, 5, 5},
     [](auto& net, ValueId x) { return net.op("HardSwish", {x}); },
     "HARD_SWISH",
     2},
    {"Sigmoid",
     {1, 4, 5, 5},
     [](auto& net, ValueId x) {
       return net.op_on({.scale = {1.0F / 256}, .zero_point = {-128}}, "Sigmoid", {x});
     },
     "LOGISTIC"},
    {"Tanh",
     {1, 4, 5, 5},
     [](auto& net, ValueId x) {
       return net.op_on({.scale = {1.0F / 128}, .zero_point = {0}}, "Tanh", {x});
     },
     "TANH"},
    {"SoftmaxOfClasses",
     {1, 10},
     [](auto& net, ValueId x) {
       return net.op_on({.scale = {1.0F / 256}, .zero_point = {-128}}, "Softmax", {x},
                        {{"axis", int64_t{-1}}});
     },
     "SOFTMAX"},
    {"SoftmaxOfChannels",
     {1, 10, 4, 3},
     [](auto& net, ValueId x) {
       return net.op_on({.scale = {1.0F / 256}, .zero_point = {-128}}, "Softmax", {x},
                        {{"axis", int64_t{1}}});
     },
     "SOFTMAX"},
};
INSTANTIATE_TEST_SUITE_P(Elementwise, TfliteCase, testing::ValuesIn(kElementwise), case_name);

ValueId pool(NetworkBuilder& net, const char* op, ValueId x, Ints kernel, Ints strides, Ints pads,
             int64_t ceil = 0) {
  return net.move(
      op, {x},
      {{"kernel_shape", kernel}, {"strides", strides}, {"pads", pads}, {"ceil_mode", ceil}});
}

const Case kPools[] = {
    {"MaxPool",
     {1, 3, 8, 8},
     [](auto& net, ValueId x) { return pool(net, "MaxPool", x, {2, 2}, {2, 2}, {0, 0, 0, 0}); },
     "MAX_POOL_2D"},
    {"MaxPoolOddSize",
     {1, 3, 7, 9},
     [](auto& net, ValueId x) { return pool(net, "MaxPool", x, {2, 2}, {2, 2}, {0, 0, 0, 0}); },
     "MAX_POOL_2D"},
    {"MaxPoolCeil",
     {1, 3, 7, 9},
     [](auto& net, ValueId x) { return pool(net, "MaxPool", x, {2, 2}, {2, 2}, {0, 0, 0, 0}, 1); },
     "MAX_POOL_2D"},
    {"MaxPoolPadded",
     {1, 3, 8, 8},
     [](auto& net, ValueId x) { return pool(net, "MaxPool", x, {3, 3}, {2, 2}, {1, 1, 1, 1}); },
     "PADV2 MAX_POOL_2D"},
    {"AveragePool",
     {1, 3, 8, 8},
     [](auto& net, ValueId x) { return pool(net, "AveragePool", x, {2, 2}, {2, 2}, {0, 0, 0, 0}); },
     "AVERAGE_POOL_2D"},
    {"AveragePoolSame",
     {1, 3, 8, 8},
     [](auto& net, ValueId x) { return pool(net, "AveragePool", x, {3, 3}, {1, 1}, {1, 1, 1, 1}); },
     "AVERAGE_POOL_2D"},
    {"AveragePoolCountsPadding",
     {1, 3, 8, 8},
     [](auto& net, ValueId x) {
       return net.move("AveragePool", {x},
                       {{"kernel_shape", Ints{3, 3}},
                        {"pads", Ints{1, 1, 1, 1}},
                        {"count_include_pad", int64_t{1}}});
     },
     "PAD AVERAGE_POOL_2D"},
    {"AveragePoolToAnotherGrid",
     {1, 3, 8, 8},
     [](auto& net, ValueId x) {
       return net.op("AveragePool", {x}, {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}});
     },
     "DEPTHWISE_CONV_2D"},
    {"GlobalAveragePool",
     {1, 5, 7, 6},
     [](auto& net, ValueId x) { return net.op("GlobalAveragePool", {x}); },
     "MEAN"},
    {"GlobalMaxPool",
     {1, 5, 7, 6},
     [](auto& net, ValueId x) { return net.move("GlobalMaxPool", {x}); },
     "REDUCE_MAX"},
    {"MeanOfPixels",
     {1, 5, 7, 6},
     [](auto& net, ValueId x) {
       return net.op("ReduceMean", {x, net.parameter(numbers({2, 3}))}, {{"keepdims", int64_t{0}}});
     },
     "MEAN"},
    {"MeanOfChannels",
     {1, 5, 7, 6},
     [](auto& net, ValueId x) { return net.op("ReduceMean", {x, net.parameter(numbers({1}))}); },
     "MEAN"},
    {"MeanOfColumnsKeepsOrder",
     {1, 5, 7, 6},
     [](auto& net, ValueId x) {
       return net.op("ReduceMean", {x, net.parameter(numbers({-1}))}, {{"keepdims", int64_t{0}}});
     },
     "TRANSPOSE MEAN"},
};
INSTANTIATE_TEST_SUITE_P(Pools, TfliteCase, testing::ValuesIn(kPools), case_name);

const Case kLayouts[] = {
    {"FlattenImageToGemm",
     {1, 3, 4, 5},
     [](auto& net, ValueId x) {
       return net.weighted("Gemm", net.move("Flatten", {x}), {7, 60}, 0, 7,
                           {{"transB", int64_t{1}}});
     },
     "TRANSPOSE RESHAPE FULLY_CONNECTED"},
    {"FlattenOneChannelToGemm",
     {1, 1, 4, 5},
     [](auto& net, ValueId x) {
       return net.weighted("Gemm", net.move("Flatten", {x}), {20, 7}, 1, 7);
     },
     "RESHAPE FULLY_CONNECTED"},
    {"GemmRelu",
     {1, 20},
     [](auto& net, ValueId x) {
       return net.op("Relu", {net.inside(net.weighted("Gemm", x, {20, 7}, 1, 7))});
     },
     "FULLY_CONNECTED"},
    {"MatMulOfTokens",
     {1, 6, 8},
     [](auto& net, ValueId x) { return net.weighted("MatMul", x, {8, 5}, 1, 0); },
     "FULLY_CONNECTED"},
    {"Attention",
     {1, 6, 8},
     [](auto& net, ValueId x) {
       const ValueId q = net.weighted("MatMul", x, {8, 8}, 1, 0);
       const ValueId k = net.weighted("MatMul", x, {8, 8}, 1, 0);
       const ValueId turned = net.move("Transpose", {k}, {{"perm", Ints{0, 2, 1}}});
       return net.op("MatMul", {q, turned});
     },
     "FULLY_CONNECTED FULLY_CONNECTED TRANSPOSE BATCH_MATMUL"},
    {"PatchesToTokens",
     {1, 3, 8, 8},
     [](auto& net, ValueId x) {
       const ValueId y = conv(net, x, {6, 3, 2, 2}, {0, 0, 0, 0}, {2, 2});
       const ValueId flat = net.move("Reshape", {y, net.parameter(numbers({0, 6, 16}))});
       const ValueId tokens = net.move("Transpose", {flat}, {{"perm", Ints{0, 2, 1}}});
       return net.weighted("MatMul", tokens, {6, 5}, 1, 0);
     },
     "CONV_2D RESHAPE FULLY_CONNECTED"},
    {"ChannelShuffle",
     {1, 6, 4, 5},
     [](auto& net, ValueId x) {
       const ValueId split = net.move("Reshape", {x, net.parameter(numbers({-1, 2, 3, 4, 5}))});
       const ValueId turned = net.move("Transpose", {split}, {{"perm", Ints{0, 2, 1, 3, 4}}});
       const ValueId whole = net.move("Reshape", {turned, net.parameter(numbers({-1, 6, 4, 5}))});
       return conv(net, whole, {4, 6, 1, 1}, {0, 0, 0, 0}, {1, 1});
     },
     "RESHAPE TRANSPOSE RESHAPE CONV_2D"},
    {"ToChannelsLastAndBack",
     {1, 4, 5, 6},
     [](auto& net, ValueId x) {
       const ValueId last = net.move("Transpose", {x}, {{"perm", Ints{0, 2, 3, 1}}});
       const ValueId y = net.weighted("MatMul", last, {4, 4}, 1, 0);
       const ValueId first = net.move("Transpose", {y}, {{"perm", Ints{0, 3, 1, 2}}});
       return net.op("Add", {x, first});
     },
     "FULLY_CONNECTED ADD"},
    {"PoolSqueezeGemm",
     {1, 6, 4, 4},
     [](auto& net, ValueId x) {
       const ValueId mean = net.op("GlobalAveragePool", {x});
       const ValueId flat = net.move("Squeeze", {mean, net.parameter(numbers({2, 3}))});
       return net.weighted("Gemm", flat, {6, 5}, 1, 5);
     },
     "MEAN RESHAPE FULLY_CONNECTED"},
    {"Concat",
     {1, 4, 5, 5},
     [](auto& net, ValueId x) {
       const ValueId y = conv(net, x, {3, 4, 1, 1}, {0, 0, 0, 0}, {1, 1});
       net.on(y, activation_grid(-1, 1));
       return net.move("Concat", {x, y}, {{"axis", int64_t{1}}});
     },
     "CONV_2D CONCATENATION"},
    {"ConcatOfRowsWithConstant",
     {1, 4, 5, 5},
     [](auto& net, ValueId x) {
       const ValueId extra = net.parameter(random_tensor({1, 4, 2, 5}, 9));
       net.table.set(extra, activation_grid(-1, 1));
       return net.move("Concat", {x, extra}, {{"axis", int64_t{-2}}});
     },
     "CONCATENATION",
     1,
     1},
    {"Slice",
     {1, 6, 7, 8},
     [](auto& net, ValueId x) {
       return net.move("Slice",
                       {x, net.parameter(numbers({1, -6})), net.parameter(numbers({99, 6})),
                        net.parameter(numbers({1, 3})), net.parameter(numbers({2, 3}))});
     },
     "STRIDED_SLICE"},
    {"Pad",
     {1, 3, 4, 5},
     [](auto& net, ValueId x) {
       return net.move("Pad", {x, net.parameter(numbers({0, 1, 2, 0, 0, 0, 1, 3}))});
     },
     "PAD"},
    {"PadWithNumber",
     {1, 3, 4, 5},
     [](auto& net, ValueId x) {
       return net.move(
           "Pad", {x, net.parameter(numbers({2, 0, 1, 3})), net.parameter(Tensor::scalar(0.5F)),
                   net.parameter(numbers({-2, 3}))});
     },
     "PADV2"},
    {"SmallNetwork",
     {1, 3, 16, 16},
     [](auto& net, ValueId x) {
       const auto block = [&](ValueId in, Shape weight, Ints strides, int64_t group) {
         return net.op(
             "Relu", {net.inside(conv(net, in, std::move(weight), {1, 1, 1, 1}, strides, group))});
       };
       const ValueId a = block(x, {8, 3, 3, 3}, {1, 1}, 1);
       const ValueId b = block(a, {8, 1, 3, 3}, {1, 1}, 8);
       const ValueId c = net.op("Add", {a, conv(net, b, {8, 8, 1, 1}, {0, 0, 0, 0}, {1, 1})});
       const ValueId d = pool(net, "MaxPool", c, {2, 2}, {2, 2}, {0, 0, 0, 0});
       const ValueId e = net.op("GlobalAveragePool", {d});
       return net.weighted("Gemm", net.move("Flatten", {e}), {10, 8}, 0, 10,
                           {{"transB", int64_t{1}}});
     },
     "CONV_2D DEPTHWISE_CONV_2D CONV_2D ADD MAX_POOL_2D MEAN RESHAPE FULLY_CONNECTED",
     2},
};
INSTANTIATE_TEST_SUITE_P(Layouts, TfliteCase, testing::ValuesIn(kLayouts), case_name);

}  // namespace
}  // namespace octet
