// Whole networks through all passes.

#include <gtest/gtest.h>

#include <set>

#include "net.h"
#include "networks/architectures.h"
#include "passes/passes.h"

namespace octet {
namespace {

using namespace test;

/// Statistics as training leaves them: nothing that folding could do without.
void draw_statistics(Graph& graph) {
  unsigned seed = 0;
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    if (node.op != "BatchNormalization") continue;
    for (size_t i = 1; i < 5; ++i) {
      Tensor& tensor = *graph.value(node.inputs[i]).constant;
      const bool positive = i == 1 || i == 4;
      tensor = random_tensor(tensor.shape, ++seed, positive ? 0.5F : -0.5F, positive ? 2 : 0.5F);
    }
  }
}

std::set<std::string> kinds_of(const Graph& graph) {
  std::set<std::string> kinds;
  for (const NodeId id : graph.order()) kinds.insert(graph.node(id).op);
  return kinds;
}

/// What INT8 targets have kernels for.
bool supported(std::string_view op) {
  return op != "HardSwish" && op != "HardSigmoid" && op != "Sub" && op != "Div";
}

TEST(Pipeline, RewritesWholeNetworksToOnesThatComputeTheSame) {
  struct Case {
    std::string_view architecture;
    NetworkSize size;
    std::string_view lowered;
    std::set<std::string> kinds;  ///< of operators, in the end
  };
  double worst = 0;
  for (const auto& [architecture, size, lowered, kinds] : std::vector<Case>{
           {"resnet20",
            {.input = {3, 16, 16}, .classes = 10, .width = 0.5},
            "",
            {"Add", "Conv", "Flatten", "Gemm", "GlobalAveragePool", "Relu"}},
           {"mobilenetv3-tiny",
            {.input = {1, 28, 28}, .classes = 10},
            // 11 HardSwish, 5 HardSigmoid; the latter's slopes and offsets follow convolutions.
            "lower_operators: 16, fold_affine: 10",
            {"Add", "Clip", "Conv", "Flatten", "Gemm", "GlobalAveragePool", "Mul", "Relu"}},
       }) {
    SCOPED_TRACE(architecture);
    Graph graph = make_network(architecture, size, 5);
    draw_statistics(graph);
    const Shape shape = input_shape(graph);
    const auto before = outputs_for(graph, shape);
    const auto norms = std::ranges::count_if(
        graph.order(), [&](NodeId id) { return graph.node(id).op == "BatchNormalization"; });
    EXPECT_EQ(join(simplify(graph)), std::format("fold_batch_normalization: {}", norms));
    worst = std::max(worst, relative_error(before, outputs_for(graph, shape)));
    EXPECT_EQ(join(simplify(graph)), "") << "the second time";
    EXPECT_EQ(join(lower(graph, supported)), lowered);
    EXPECT_EQ(join(lower(graph, supported)), "") << "the second time";
    worst = std::max(worst, relative_error(before, outputs_for(graph, shape)));
    EXPECT_LE(worst, 1e-5);
    EXPECT_EQ(kinds_of(graph), kinds);
    EXPECT_EQ(outputs_of(graph), "logits");
    EXPECT_EQ(graph.value(graph.outputs()[0]).shape, (Shape{-1, 10}));
  }
  RecordProperty("largest_relative_error", std::format("{:.2e}", worst));
}

TEST(Pipeline, OpensTheBatchOfAFoldedReshapeOnlyForData) {
  // Batch 1: the reshape of the constant has the same leading dimension as that of the data.
  Net n({1, 3, 4, 4});
  const ValueId bias = n.op("Reshape", {n.c({3}), n.list({1, 3, 1, 1})});
  const ValueId sum = n.op("Add", {n.x, bias});
  Graph graph = n.to({n.op("Reshape", {sum, n.list({1, 48})})});
  infer_shapes(graph);
  const auto before = outputs_for(graph, {1, 3, 4, 4});
  EXPECT_EQ(join(simplify(graph)), "fold_constants: 1, open_batch: 1");
  EXPECT_LE(relative_error(before, outputs_for(graph, {1, 3, 4, 4})), 0);
  EXPECT_EQ(outputs_for(graph, {7, 3, 4, 4})[0].size(0), 7);
}

}  // namespace
}  // namespace octet
