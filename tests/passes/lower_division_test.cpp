#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "engine/executor.h"
#include "net.h"

namespace octet {
namespace {

TEST(LowerDivision, ByZeroLeavesNumbersAndGradients) {
  test::Net net({-1, 3});
  const ValueId quotient = net.op("Div", {net.x, net.op("Relu", {net.x})});
  Graph graph = net.to({quotient});
  infer_shapes(graph);
  lower(graph, [](std::string_view op) { return op != "Div"; });
  const at::Tensor x = at::tensor({-2.0F, 0.0F, 4.0F}).view({1, 3}).requires_grad_(true);
  Executor executor(graph);
  Interpretation plain;
  const at::Tensor y = executor.run({&x, 1}, plain, true).at(0);
  y.sum().backward();
  EXPECT_TRUE(at::allclose(y.detach(), at::tensor({0.0F, 0.0F, 1.0F}).view({1, 3}))) << y;
  EXPECT_TRUE(x.grad().isfinite().all().item<bool>()) << x.grad();
}

// ONNX Runtime refuses a float file otherwise.
TEST(LowerDivision, NamesEachNodeOnce) {
  test::Net net({-1, 3});
  const ValueId quotient = net.op("Div", {net.x, net.op("Softplus", {net.x})});
  Graph graph = net.to({quotient});
  infer_shapes(graph);
  lower(graph, [](std::string_view op) { return op != "Div"; });
  std::set<std::string> names;
  for (const NodeId id : graph.order()) {
    EXPECT_TRUE(names.insert(graph.node(id).name).second) << graph.node(id).name;
  }
  EXPECT_GT(names.size(), 8U);
}

}  // namespace
}  // namespace octet
