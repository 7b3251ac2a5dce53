// Convolutions, arithmetic, activations and pooling as octet writes them to TFLite, run there and
// held against the network in float on the same grids.
#include "formats/tflite_op.h"

namespace octet {
namespace {

using namespace test;

class TfliteOps : public testing::TestWithParam<TfliteOp> {};

TEST_P(TfliteOps, ComputesTheNetworkOnItsGrids) { check_op(GetParam()); }

const TfliteOp kConvolutions[] = {
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
INSTANTIATE_TEST_SUITE_P(Convolutions, TfliteOps, testing::ValuesIn(kConvolutions), case_name);

const TfliteOp kElementwise[] = {
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
INSTANTIATE_TEST_SUITE_P(Elementwise, TfliteOps, testing::ValuesIn(kElementwise), case_name);

const TfliteOp kPools[] = {
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
INSTANTIATE_TEST_SUITE_P(Pools, TfliteOps, testing::ValuesIn(kPools), case_name);

}  // namespace
}  // namespace octet
