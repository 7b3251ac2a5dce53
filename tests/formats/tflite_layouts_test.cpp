// What reorders, picks and repeats values, and what becomes of the layouts between, as octet writes
// it to TFLite.
#include "formats/tflite_op.h"
#include "support/error_of.h"

namespace octet {
namespace {

using namespace test;

class TfliteLayouts : public testing::TestWithParam<TfliteOp> {};

TEST_P(TfliteLayouts, ComputesTheNetworkOnItsGrids) { check_op(GetParam()); }

const TfliteOp kLayouts[] = {
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
     "FULLY_CONNECTED RESHAPE"},
    {"Attention",
     {1, 6, 8},
     [](auto& net, ValueId x) {
       const ValueId q = net.weighted("MatMul", x, {8, 8}, 1, 0);
       const ValueId k = net.weighted("MatMul", x, {8, 8}, 1, 0);
       const ValueId turned = net.move("Transpose", {k}, {{"perm", Ints{0, 2, 1}}});
       return net.op("MatMul", {q, turned});
     },
     "FULLY_CONNECTED RESHAPE FULLY_CONNECTED RESHAPE BATCH_MATMUL"},
    {"PatchesToTokens",
     {1, 3, 8, 8},
     [](auto& net, ValueId x) {
       const ValueId y = conv(net, x, {6, 3, 2, 2}, {0, 0, 0, 0}, {2, 2});
       const ValueId flat = net.move("Reshape", {y, net.parameter(numbers({0, 6, 16}))});
       const ValueId tokens = net.move("Transpose", {flat}, {{"perm", Ints{0, 2, 1}}});
       return net.weighted("MatMul", tokens, {6, 5}, 1, 0);
     },
     "CONV_2D FULLY_CONNECTED RESHAPE"},
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
     "FULLY_CONNECTED RESHAPE ADD"},
    {"PoolSqueezeGemm",
     {1, 6, 4, 4},
     [](auto& net, ValueId x) {
       const ValueId mean = net.op("GlobalAveragePool", {x});
       const ValueId flat = net.move("Squeeze", {mean, net.parameter(numbers({2, 3}))});
       return net.weighted("Gemm", flat, {6, 5}, 1, 5);
     },
     "MEAN FULLY_CONNECTED"},
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
     "CONV_2D DEPTHWISE_CONV_2D CONV_2D ADD MAX_POOL_2D MEAN FULLY_CONNECTED",
     2},
};
INSTANTIATE_TEST_SUITE_P(Layouts, TfliteLayouts, testing::ValuesIn(kLayouts), case_name);

const TfliteOp kPicks[] = {
    {"GatherElements",
     {1, 3, 4},
     [](auto& net, ValueId x) {
       const ValueId places =
           net.parameter(Tensor::of<int64_t>({1, 2, 4}, Ints{0, 1, 2, -1, 2, 2, 0, -3}));
       return net.move("GatherElements", {x, places}, {{"axis", int64_t{1}}});
     },
     "RESHAPE GATHER",
     0,
     1},
    {"GatherND",
     {1, 3, 4},
     [](auto& net, ValueId x) {
       const ValueId places = net.parameter(Tensor::of<int64_t>({1, 2, 2}, Ints{0, 2, -1, 1}));
       return net.move("GatherND", {x, places});
     },
     "RESHAPE GATHER",
     0,
     1},
    {"GatherChannels",
     {1, 6, 3, 4},
     [](auto& net, ValueId x) {
       const ValueId y =
           net.move("Gather", {x, net.parameter(numbers({5, 0}))}, {{"axis", int64_t{1}}});
       return conv(net, y, {4, 2, 1, 1}, {0, 0, 0, 0}, {1, 1});
     },
     "GATHER CONV_2D"},
    {"ExpandToTheSameShape",
     {1, 6, 3, 4},
     [](auto& net, ValueId x) {
       return net.op("Add", {net.move("Expand", {x, net.parameter(numbers({1, 1, 1, 1}))}), x});
     },
     "ADD"},
    {"ExpandToMoreDimensions",
     {1, 4},
     [](auto& net, ValueId x) {
       const ValueId wide = net.move("Expand", {x, net.parameter(numbers({1, 3, 1, 4}))});
       return net.move("Flatten", {wide});
     },
     "RESHAPE BROADCAST_TO RESHAPE",
     0,
     1},
    {"NearestOfOtherPixels",
     {1, 2, 6, 6},
     [](auto& net, ValueId x) {
       return net.move("Resize", {x, kAbsent, kAbsent, net.parameter(numbers({1, 2, 9, 9}))},
                       {{"nearest_mode", std::string("ceil")},
                        {"coordinate_transformation_mode", std::string("asymmetric")}});
     },
     "GATHER GATHER",
     0,
     1},
    {"NearestTwice",
     {1, 2, 6, 6},
     [](auto& net, ValueId x) {
       return net.move(
           "Resize",
           {x, kAbsent, net.parameter(Tensor::of<float>({4}, std::vector<float>{1, 1, 2, 2}))},
           {{"nearest_mode", std::string("floor")},
            {"coordinate_transformation_mode", std::string("asymmetric")}});
     },
     "RESIZE_NEAREST_NEIGHBOR",
     0},
    {"DenseLayersOfTokens",
     {1, 6, 8},
     [](auto& net, ValueId x) {
       const ValueId rows = net.move("Reshape", {x, net.parameter(numbers({-1, 8}))});
       const ValueId y = net.weighted("Gemm", rows, {8, 12}, 1, 12);
       const ValueId tokens = net.move("Reshape", {y, net.parameter(numbers({-1, 6, 12}))});
       const ValueId again = net.move("Reshape", {tokens, net.parameter(numbers({-1, 12}))});
       const ValueId z = net.weighted("Gemm", again, {12, 8}, 1, 8);
       const ValueId whole = net.move("Reshape", {z, net.parameter(numbers({-1, 6, 8}))});
       return net.op("Add", {x, whole});
     },
     "FULLY_CONNECTED FULLY_CONNECTED RESHAPE ADD",
     2},
    {"AttentionHeads",
     {1, 6, 8},
     [](auto& net, ValueId x) {
       const auto heads = [&](Ints order) {
         const ValueId y = net.weighted("MatMul", x, {8, 8}, 1, 0);
         const ValueId split = net.move("Reshape", {y, net.parameter(numbers({-1, 6, 2, 4}))});
         return net.move("Transpose", {split}, {{"perm", std::move(order)}});
       };
       const ValueId scores = net.op("MatMul", {heads({0, 2, 1, 3}), heads({0, 2, 3, 1})});
       const ValueId mixed = net.op("MatMul", {scores, heads({0, 2, 1, 3})});
       const ValueId back = net.move("Transpose", {mixed}, {{"perm", Ints{0, 2, 1, 3}}});
       const ValueId flat = net.move("Reshape", {back, net.parameter(numbers({-1, 6, 8}))});
       return net.weighted("MatMul", flat, {8, 5}, 1, 0);
     },
     "FULLY_CONNECTED FULLY_CONNECTED TRANSPOSE RESHAPE TRANSPOSE RESHAPE BATCH_MATMUL "
     "FULLY_CONNECTED TRANSPOSE RESHAPE BATCH_MATMUL TRANSPOSE RESHAPE FULLY_CONNECTED RESHAPE",
     3},
    {"SevenDimensionsOfWhichFiveMove",
     {1, 4, 6, 6},
     [](auto& net, ValueId x) {
       const ValueId split =
           net.move("Reshape", {x, net.parameter(numbers({1, 2, 2, 2, 3, 2, 3}))});
       return net.move("Transpose", {split}, {{"perm", Ints{0, 3, 5, 1, 2, 4, 6}}});
     },
     "RESHAPE TRANSPOSE RESHAPE",
     0,
     1},
};
INSTANTIATE_TEST_SUITE_P(Picks, TfliteLayouts, testing::ValuesIn(kPicks), case_name);

struct LayoutRefusal {
  const char* name;
  Shape input;
  std::function<ValueId(NetworkBuilder&, ValueId)> build;
  const char* message;
};

const LayoutRefusal kLayoutRefusals[] = {
    {"NegativePads",
     {1, 2, 4, 4},
     [](auto& net, ValueId x) {
       return net.move("Pad", {x, net.parameter(numbers({0, 0, -1, 0, 0, 0, 0, 0}))});
     },
     "tflite: node \"Pad0\" (Pad): negative pads cannot be written"},
    {"GroupedConvTranspose",
     {1, 2, 4, 4},
     [](auto& net, ValueId x) {
       return net.weighted("ConvTranspose", x, {2, 1, 2, 2}, 1, 0, {{"group", int64_t{2}}});
     },
     "tflite: node \"ConvTranspose0\" (ConvTranspose): TFLite's transposed convolution has no "
     "groups"},
    {"Cubic",
     {1, 2, 4, 4},
     [](auto& net, ValueId x) {
       return net.move("Resize", {x, kAbsent, kAbsent, net.parameter(numbers({1, 2, 8, 8}))},
                       {{"mode", std::string("cubic")}});
     },
     "tflite: node \"Resize0\" (Resize): TFLite has no int8 interpolation of the mode 'cubic'"},
    {"MaxOfTwoGrids",
     {1, 2, 4, 4},
     [](auto& net, ValueId x) { return net.on(net.op("Max", {x, x}), activation_grid(-2, 2)); },
     "tflite: node \"Max0\" (Max): its input 'x' and its output have different scales"},
    {"ConvolutionOfRows",
     {1, 2, 8},
     [](auto& net, ValueId x) { return net.weighted("Conv", x, {3, 2, 3}, 0, 3); },
     "tflite: node \"Conv0\" (Conv): its input has 3 dimensions; wanted 4, of images"},
    {"SevenDimensions",
     {1, 64, 2, 3},
     [](auto& net, ValueId x) {
       const ValueId split =
           net.move("Reshape", {x, net.parameter(numbers({2, 2, 2, 2, 2, 2, 6}))});
       return net.move("Transpose", {split}, {{"perm", Ints{6, 5, 4, 3, 2, 1, 0}}});
     },
     "tflite: 'Transpose1' is transposed in 7 dimensions; TFLite takes at most 6"},
};

TEST(TfliteRefusals, RefusesWhatTfliteCannotSay) {
  for (const LayoutRefusal& held : kLayoutRefusals) {
    NetworkBuilder network;
    const ValueId out = held.build(network, network.input(held.input));
    network.finish(out, random_tensor(held.input, 7));
    const Error error = error_of([&] { write_tflite(network.graph, network.table); });
    EXPECT_EQ(error.code(), Code::Unsupported) << held.name;
    EXPECT_STREQ(error.what(), held.message) << held.name;
  }
}

}  // namespace
}  // namespace octet
