// Networks with operators that octet has no kernel of.

#include "api/foreign.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "eval/simulated_session.h"
#include "formats/onnx/onnx_file.h"
#include "ops/foreign.h"
#include "passes/passes.h"
#include "quant/calibrate.h"
#include "quant/solve.h"
#include "support/error_of.h"
#include "support/graph_builder.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

/// conv -> rows -> GRU -> its last state: ONNX Runtime knows GRU, octet does not.
Graph recurrent() {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {-1, 3, 4, 4});
  const auto constant = [&](const char* name, Shape shape, unsigned seed) {
    return graph.add_constant(name, test::random_tensor(std::move(shape), seed));
  };
  const ValueId conv = graph.add_op("Conv", "conv", {x, constant("w", {3, 3, 1, 1}, 1)});
  const ValueId shape = graph.add_constant("shape", test::numbers({-1, 3, 16}));
  const ValueId rows = graph.add_op("Reshape", "rows", {conv, shape});
  const ValueId steps =
      graph.add_op("Transpose", "steps", {rows}, {{"perm", std::vector<int64_t>{1, 0, 2}}});
  Node gru{.name = "gru",
           .op = "GRU",
           .inputs = {steps, constant("W", {1, 12, 16}, 2), constant("R", {1, 12, 4}, 3)},
           .outputs = {kAbsent, graph.add_value("state")},
           .attributes = {{"hidden_size", int64_t{4}}}};
  graph.add_node(gru);
  const ValueId axis = graph.add_constant("axis", test::numbers({0}));
  graph.add_output(graph.add_op("Squeeze", "y", {gru.outputs[1], axis}));
  return graph;
}

/// Other tests are about octet alone.
class Foreign : public ::testing::Test {
 protected:
  Foreign() { run_foreign_nodes(); }
  ~Foreign() override { set_foreign(nullptr); }
};

TEST_F(Foreign, NetworksAreQuantizedAroundWhatOnnxRuntimeComputes) {
  Graph graph = recurrent();
  simplify(graph);
  const std::vector<std::string> names{"onnxruntime-cpu"};
  const TargetSet targets(names);
  lower(graph, [&](std::string_view op) { return targets.supports(op); });
  const Placement placement = place(graph, targets);
  ASSERT_EQ(placement.in_float.size(), 1U);
  EXPECT_EQ(placement.in_float.begin()->second,
            "octet has no kernel of it and lets ONNX Runtime run it");

  const Tensor data = test::random_tensor({8, 3, 4, 4}, 5, -2, 2);
  const std::vector<float> images(data.as<float>().begin(), data.as<float>().end());
  bool given = false;
  const auto next = [&](std::vector<float>& batch) -> int64_t {
    batch = images;
    return std::exchange(given, true) ? 0 : 8;
  };
  const QuantTable table =
      solve(graph, placement, calibrate(graph, placement, next, {.observer = "minmax"}));
  const TempFolder folder;
  write_file(folder / "n.onnx", write_onnx(graph, table));
  const auto deployed = open_session(folder / "n.onnx", 1)->run(images, 8);
  const auto simulated =
      simulate(graph, placement, table, onnxruntime_dialect(), 1)->run(images, 8);
  EXPECT_EQ(deployed, simulated);
}

TEST_F(Foreign, NetworksAreNotTrained) {
  EXPECT_EQ(message_of([] { require_gradients(recurrent()); }),
            "node \"gru\" (GRU): octet has no kernel of it, so it cannot be trained through; "
            "quantize without QAT (epochs: 0, or 'octet quantize')");
}

}  // namespace
}  // namespace octet
