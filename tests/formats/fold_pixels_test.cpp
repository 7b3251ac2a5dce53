#include "formats/onnx/fold_pixels.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/file.h"
#include "formats/onnx/graph_writer.h"
#include "formats/onnx/onnx_file.h"
#include "runtime/session.h"
#include "support/graph_builder.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

using test::random_tensor;
using L = std::vector<int64_t>;

struct Shapes {
  Shape image;  ///< channels, rows, columns
  int64_t outputs = 4;
  L kernel = {3, 3};
  L strides = {1, 1};
  L pads = {1, 1, 1, 1};
  L dilations = {1, 1};
  int64_t groups = 1;
  int64_t biases = 0;
  const char* activation = "";
};

/// One convolution, perhaps with an activation that its rounding takes in.
struct ConvNet : test::NetworkBuilder {
  explicit ConvNet(const Shapes& of) {
    const Shape image{-1, of.image[0], of.image[1], of.image[2]};
    const Shape weight{of.outputs, of.image[0] / of.groups, of.kernel[0], of.kernel[1]};
    ValueId y = weighted("Conv", input(image), weight, 0, of.biases,
                         {{"strides", of.strides},
                          {"pads", of.pads},
                          {"dilations", of.dilations},
                          {"group", of.groups}});
    if (*of.activation != '\0') y = op(of.activation, {inside(y)});
    finish(move("Flatten", {y}), random_tensor({2, image[1], image[2], image[3]}, 3));
  }
};

/// Shape of the weight after folding; empty: nothing was folded.
Shape folded_weight(const ConvNet& net) {
  const auto folded = fold_pixels(net.graph, net.table);
  if (!folded) return {};
  for (const NodeId id : folded->graph.order()) {
    const Node& node = folded->graph.node(id);
    if (node.op == "Conv") return folded->graph.constant_input(node, 1)->shape;
  }
  return {};
}

TEST(FoldPixels, TakesConvolutionsToTheFastKernel) {
  struct Case {
    const char* name;
    Shapes of;
    Shape weight;  ///< empty: nothing is folded
  };
  const Case cases[] = {
      {"first convolution of 224x224",
       {.image = {3, 224, 224}, .outputs = 32, .strides = {2, 2}},
       {64, 12, 3, 2}},
      {"first convolution of ResNet-50",
       {.image = {3, 32, 32},
        .outputs = 64,
        .kernel = {7, 7},
        .strides = {2, 2},
        .pads = {3, 3, 3, 3}},
       {128, 12, 7, 3}},
      {"stride 1", {.image = {3, 32, 32}, .outputs = 16}, {64, 12, 3, 3}},
      {"few results",
       {.image = {8, 8, 8}, .outputs = 8, .kernel = {1, 1}, .pads = {0, 0, 0, 0}},
       {16, 16, 1, 1}},
      {"few results of many", {.image = {32, 8, 8}, .outputs = 8}, {16, 64, 3, 3}},
      {"one channel", {.image = {1, 28, 28}, .outputs = 16, .strides = {2, 2}}, {32, 4, 3, 2}},
      {"depthwise", {.image = {8, 8, 8}, .outputs = 8, .groups = 8}, {16, 16, 3, 3}},
      {"is there", {.image = {8, 8, 8}, .outputs = 16}, {}},
      {"is there, depthwise", {.image = {32, 8, 8}, .outputs = 32, .groups = 32}, {}},
      {"grouped", {.image = {8, 8, 8}, .outputs = 8, .groups = 2}, {}},
      {"odd columns", {.image = {3, 8, 7}}, {}},
      {"one column", {.image = {3, 8, 1}}, {}},
      {"too many products", {.image = {30, 8, 8}, .outputs = 32}, {}},
      {"too many products, depthwise", {.image = {24, 8, 8}, .outputs = 24, .groups = 24}, {}},
  };
  for (const Case& row : cases) EXPECT_EQ(folded_weight(ConvNet(row.of)), row.weight) << row.name;
}

TEST(FoldPixels, LeavesAloneWhatIsNotOnGrids) {
  ConvNet net({.image = {3, 8, 8}});
  QuantTable without = net.table;
  without.erase(net.graph.node(net.graph.order()[0]).inputs[1]);
  EXPECT_TRUE(fold_pixels(net.graph, net.table));
  EXPECT_FALSE(fold_pixels(net.graph, without)) << "a weight in float";
  for (const NodeId id : net.graph.order()) {
    net.graph.value(net.graph.node(id).outputs[0]).shape_known = false;
  }
  EXPECT_FALSE(fold_pixels(net.graph, net.table)) << "unknown shapes";
}

/// What ONNX Runtime computes of both forms, for images of a shape: equal bits.
void expect_same(const test::NetworkBuilder& net, const Shape& image) {
  const TempFolder folder;
  write_file(folder / "plain.onnx", write_qdq(net.graph, net.table));
  write_file(folder / "folded.onnx", write_onnx(net.graph, net.table));
  const Tensor images = random_tensor({3, image[0], image[1], image[2]}, 5, -1.5F, 1.5F);
  const auto plain = open_onnxruntime(folder / "plain.onnx", 1);
  const auto folded = open_onnxruntime(folder / "folded.onnx", 1);
  EXPECT_EQ(folded->run(images.as<float>(), 3), plain->run(images.as<float>(), 3));
  for (const OperatorUse& use : folded->operators()) {
    EXPECT_TRUE(use.arithmetic == "uint8" || use.name == "DequantizeLinear") << use.name;
  }
}

TEST(FoldPixels, ComputesTheSameIntegers) {
  const Shapes cases[] = {
      {.image = {3, 8, 8}, .outputs = 8, .strides = {2, 2}, .biases = 8, .activation = "Relu"},
      {.image = {3, 8, 16}, .outputs = 3, .groups = 3, .biases = 3},
      {.image = {2, 9, 12}, .outputs = 5, .kernel = {2, 5}, .pads = {0, 2, 1, 2}},
      {.image = {1, 4, 16}, .kernel = {3, 4}, .strides = {1, 2}, .pads = {0, 1, 2, 1}},
      {.image = {4, 6, 8}, .pads = {2, 2, 2, 2}, .dilations = {2, 2}},
      {.image = {8, 4, 4}, .outputs = 8, .groups = 8, .activation = "Relu"},
  };
  for (const Shapes& of : cases) {
    SCOPED_TRACE(testing::PrintToString(of.image) + testing::PrintToString(of.kernel));
    const ConvNet net(of);
    ASSERT_TRUE(fold_pixels(net.graph, net.table));
    expect_same(net, of.image);
  }
}

size_t count_of(const Graph& graph, std::string_view op) {
  return static_cast<size_t>(
      std::ranges::count_if(graph.order(), [&](NodeId id) { return graph.node(id).op == op; }));
}

/// Convolution, gate, depthwise convolution, sum of both; then what reads it as it was.
struct BlockNet : test::NetworkBuilder {
  BlockNet() {
    const Attributes padded = {{"pads", L{1, 1, 1, 1}}};
    const ValueId a = weighted("Conv", input({-1, 8, 6, 8}), {8, 8, 1, 1}, 0, 8);
    const ValueId gated = op("Mul", {a, op("Sigmoid", {a})});
    const ValueId b =
        op("Relu", {inside(weighted("Conv", gated, {8, 1, 3, 3}, 0, 0,
                                    {{"pads", L{1, 1, 1, 1}}, {"group", int64_t{8}}}))});
    const ValueId sum = op("Relu", {inside(op("Add", {gated, b}))});
    finish(move("Flatten", {weighted("Conv", sum, {16, 8, 3, 3}, 0, 16, padded)}),
           random_tensor({2, 8, 6, 8}, 3));
  }
};

TEST(FoldPixels, StaysWideBetweenConvolutions) {
  const BlockNet net;
  const auto folded = fold_pixels(net.graph, net.table);
  ASSERT_TRUE(folded);
  EXPECT_EQ(count_of(folded->graph, "Transpose"), 4) << "into wide pixels, and back";
  EXPECT_EQ(count_of(folded->graph, "Mul"), 1);
  EXPECT_EQ(count_of(folded->graph, "Add"), 1);
  expect_same(net, {8, 6, 8});
}

/// Any window: the sums of products of whole numbers, folded and not, are equal.
RC_GTEST_PROP(FoldPixels, KeepsEverySum, ()) {
  const auto draw = [](int64_t low, int64_t high) { return *rc::gen::inRange(low, high + 1); };
  const bool depthwise = draw(0, 1) == 1;
  const int64_t channels = draw(1, 9);
  const int64_t columns = 8 * draw(1, 3);
  const int64_t kernel = draw(1, 5);
  const int64_t stride = draw(1, 2);
  const int64_t dilation = draw(1, 2);
  const int64_t reach = (kernel - 1) * dilation + 1;
  const int64_t begin = draw(0, reach - 1);
  const int64_t end = std::max<int64_t>(0, reach - stride - begin);
  const Shapes of{.image = {channels, draw(4, 6), columns},
                  .outputs = depthwise ? channels : draw(1, 20),
                  .kernel = {draw(1, 3), kernel},
                  .strides = {draw(1, 2), stride},
                  .pads = {draw(0, 2), begin, draw(0, 2), end},
                  .dilations = {1, dilation},
                  .groups = depthwise ? channels : 1};
  ConvNet net(of);
  Tensor& weight = *net.graph.value(net.graph.node(net.graph.order()[0]).inputs[1]).constant;
  for (float& number : weight.as<float>()) number = std::round(number * 127);
  const auto folded = fold_pixels(net.graph, net.table);
  RC_CLASSIFY(folded.has_value());
  if (!folded) return;
  Tensor images = random_tensor({2, of.image[0], of.image[1], of.image[2]}, 5, -128, 127);
  for (float& number : images.as<float>()) number = std::round(number);
  const std::vector<at::Tensor> inputs{to_torch(images)};
  Interpretation plain;
  const at::Tensor wanted = Executor(net.graph).run(inputs, plain).at(0);
  const at::Tensor made = Executor(folded->graph).run(inputs, plain).at(0);
  RC_ASSERT(made.sizes() == wanted.sizes());
  RC_ASSERT(made.equal(wanted));
}

}  // namespace
}  // namespace octet
