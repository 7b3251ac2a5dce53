// Operators that move, pick and repeat values: both files against the simulation and against the
// exact dialects. The integers only move, so that nothing may differ.
#include "pipeline/parity.h"

namespace octet {
namespace {

using namespace test;

ValueId depth_to_space(SmallNet& net, const char* mode) {
  return net.op("DepthToSpace", {net.mixed(net.x, 12)},
                {{"blocksize", int64_t{2}}, {"mode", std::string(mode)}});
}

ValueId pad(SmallNet& net, const char* mode) {
  return net.op("Pad", {net.x, net.list({0, 0, 2, 1, 0, 0, 3, 0})}, {{"mode", std::string(mode)}});
}

/// 3x6x6 in windows of 3x3, and back.
ValueId windows(SmallNet& net, ValueId x) {
  const ValueId last = net.op("Transpose", {x}, {{"perm", L{0, 2, 3, 1}}});
  const ValueId split = net.op("Reshape", {last, net.list({-1, 2, 3, 2, 3, 3})});
  const ValueId turned = net.op("Transpose", {split}, {{"perm", L{0, 1, 3, 2, 4, 5}}});
  return net.op("Reshape", {turned, net.list({-1, 9, 3})});
}
ValueId images(SmallNet& net, ValueId x) {
  const ValueId split = net.op("Reshape", {x, net.list({-1, 2, 2, 3, 3, 3})});
  const ValueId turned = net.op("Transpose", {split}, {{"perm", L{0, 1, 3, 2, 4, 5}}});
  const ValueId last = net.op("Reshape", {turned, net.list({-1, 6, 6, 3})});
  return net.op("Transpose", {last}, {{"perm", L{0, 3, 1, 2}}});
}

const std::vector<ParityCase>& layout_cases() {
  static const std::vector<ParityCase> all{
      {"SplitChannels",
       [](SmallNet& n) {
         const auto parts = n.split(n.x, {1, 2}, 1);
         return n.op("Concat", {parts[1], parts[0]}, {{"axis", int64_t{1}}});
       },
       0, 0},
      {"SplitRows",
       [](SmallNet& n) {
         const auto parts = n.split(n.x, {2, 2, 2}, 2);
         return n.op("Concat", {parts[2], parts[1]}, {{"axis", int64_t{-1}}});
       },
       0, 0},
      {"GatherRows",
       [](SmallNet& n) {
         return n.op("Gather", {n.x, n.list({5, 0, -2})}, {{"axis", int64_t{2}}});
       },
       0, 0},
      {"GatherOneChannel",
       [](SmallNet& n) { return n.op("Gather", {n.x, n.index(1)}, {{"axis", int64_t{1}}}); }, 0, 0},
      {"GatherOneColumn",
       [](SmallNet& n) { return n.op("Gather", {n.x, n.index(-1)}, {{"axis", int64_t{3}}}); }, 0,
       0},
      {"GatherPairsOfRows",
       [](SmallNet& n) {
         const ValueId pairs =
             n.graph.add_constant("pairs", Tensor::of<int64_t>({2, 2}, L{0, 1, 1, 5}));
         return n.op("Gather", {n.x, pairs}, {{"axis", int64_t{2}}});
       },
       0, 0},
      {"Expand",
       [](SmallNet& n) {
         const ValueId row = n.op("MaxPool", {n.x}, {{"kernel_shape", L{6, 1}}});
         return n.op("Expand", {row, n.list({1, 1, 4, 1})});
       },
       0, 0},
      {"Tile", [](SmallNet& n) { return n.op("Tile", {n.x, n.list({1, 2, 1, 3})}); }, 0, 0},
      {"DepthToSpace", [](SmallNet& n) { return depth_to_space(n, "DCR"); }},
      {"DepthToSpaceDepthFirst",
       [](SmallNet& n) { return depth_to_space(n, "CRD"); },
       0,
       1,
       {"onnxruntime-cpu", "tflite"},
       false},
      {"SpaceToDepth",
       [](SmallNet& n) { return n.op("SpaceToDepth", {n.x}, {{"blocksize", int64_t{2}}}); }, 0, 0},
      {"SliceBackwards",
       [](SmallNet& n) {
         return n.op("Slice",
                     {n.x, n.list({-1, 4}), n.list({-100, 0}), n.list({2, 3}), n.list({-1, -2})});
       },
       0, 0},
      {"PadEdge", [](SmallNet& n) { return pad(n, "edge"); }, 0, 0},
      {"PadReflect", [](SmallNet& n) { return pad(n, "reflect"); }, 0, 0},
      {"PadWrap", [](SmallNet& n) { return pad(n, "wrap"); }, 0, 0},
      {"ReduceMaxImage",
       [](SmallNet& n) {
         return n.op("ReduceMax", {n.x, n.list({2, 3})}, {{"keepdims", int64_t{0}}});
       },
       0, 0},
      {"ReduceMaxChannels", [](SmallNet& n) { return n.op("ReduceMax", {n.x, n.list({1})}); }, 0,
       0},
      {"ReduceMinColumns",
       [](SmallNet& n) {
         return n.op("ReduceMin", {n.x, n.list({-1})}, {{"keepdims", int64_t{0}}});
       },
       0, 0},
      {"GlobalMaxPool", [](SmallNet& n) { return n.op("GlobalMaxPool", {n.x}); }, 0, 0},
      {"Max", [](SmallNet& n) { return n.op("Max", {n.x, n.mixed(n.x)}); }},
      {"MaxOfThree", [](SmallNet& n) { return n.op("Max", {n.x, n.c({3, 1, 1}), n.mixed(n.x)}); }},
      {"MinOfTwo", [](SmallNet& n) { return n.op("Min", {n.mixed(n.x), n.x}); }},
      {"Where", [](SmallNet& n) { return n.op("Where", {n.mask({3, 1, 6}), n.x, n.mixed(n.x)}); }},
      {"WhereNumber",
       [](SmallNet& n) { return n.op("Where", {n.mask({6, 6}), n.x, n.number(0.7F)}); }},
      {"ChannelShuffle",
       [](SmallNet& n) {
         const ValueId split = n.op("Reshape", {n.mixed(n.x, 6), n.list({0, 2, 3, 6, 6})});
         const ValueId turned = n.op("Transpose", {split}, {{"perm", L{0, 2, 1, 3, 4}}});
         return n.op("Reshape", {turned, n.list({0, 6, 6, 6})});
       }},
      {"Windows",
       [](SmallNet& n) { return images(n, n.op("MatMul", {windows(n, n.x), n.c({3, 3})})); }},
      {"ShiftedImage",
       [](SmallNet& n) {
         const ValueId low = n.op("Slice", {n.x, n.list({0}), n.list({2}), n.list({2})});
         const ValueId high = n.op("Slice", {n.x, n.list({2}), n.list({99}), n.list({2})});
         return n.op("Concat", {high, low}, {{"axis", int64_t{2}}});
       },
       0, 0},
      {"Attention",
       [](SmallNet& n) {
         const ValueId flat = n.op("Reshape", {n.x, n.list({0, 3, 36})});
         const ValueId tokens = n.op("Transpose", {flat}, {{"perm", L{0, 2, 1}}});
         const ValueId qkv = n.op("MatMul", {tokens, n.c({3, 24})});
         const ValueId split = n.op("Reshape", {qkv, n.list({0, 36, 3, 2, 4})});
         const ValueId turned = n.op("Transpose", {split}, {{"perm", L{2, 0, 3, 1, 4}}});
         const auto part = [&](int64_t index) {
           return n.op("Gather", {turned, n.index(index)}, {{"axis", int64_t{0}}});
         };
         const ValueId key = n.op("Transpose", {part(1)}, {{"perm", L{0, 1, 3, 2}}});
         const ValueId shares = n.op("Softmax", {n.op("MatMul", {part(0), key})});
         const ValueId heads = n.op("MatMul", {shares, part(2)});
         const ValueId back = n.op("Transpose", {heads}, {{"perm", L{0, 2, 1, 3}}});
         return n.op("MatMul", {n.op("Reshape", {back, n.list({0, 36, 8})}), n.c({8, 5})});
       },
       3, 4},
  };
  return all;
}

class LayoutParity : public ::testing::TestWithParam<ParityCase> {};

TEST_P(LayoutParity, BothFilesComputeWhatIsSimulated) { check_parity(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Networks, LayoutParity, ::testing::ValuesIn(layout_cases()),
                         [](const auto& tested) { return tested.param.name; });

TEST(TokenParity, BothFilesLookUpAnEmbedding) {
  Graph graph;
  const ValueId tokens = graph.add_input("tokens", DType::Int64, {-1, 6});
  const ValueId table = graph.add_constant("table", random_tensor({10, 8}, 3));
  const ValueId rows = graph.add_op("Gather", "embedding", {table, tokens});
  const ValueId weight = graph.add_constant("weight", random_tensor({8, 4}, 4));
  const ValueId mixed = graph.add_op("MatMul", "mixed", {rows, weight});
  graph.add_output(graph.add_op("Flatten", "flat", {mixed}));
  std::vector<float> images;
  for (int i = 0; i < 48; ++i) images.push_back(static_cast<float>(i * 7 % 10));
  const Quantized net(std::move(graph), {"onnxruntime-cpu", "tflite"}, images, 8);
  check_file(net, "onnxruntime-cpu", images, images, 8, 0);
  check_file(net, "tflite", images, images, 8, 1);
}

}  // namespace
}  // namespace octet
