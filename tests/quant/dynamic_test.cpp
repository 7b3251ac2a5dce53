#include "quant/dynamic.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <limits>

#include "quant/solve.h"
#include "support/error_of.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

TargetSet targets_named(std::vector<std::string> names) { return TargetSet(names); }

QuantTable dynamic_table(const Graph& graph, const TargetSet& targets) {
  return solve(graph, place_dynamically(graph, targets, {.ranges = Scheme::Ranges::Dynamic}), {});
}

/// A convolution, a product, and a product with a constant that nobody learns.
struct DynamicNet {
  Graph graph;
  ValueId kernel;
  ValueId matrix;
  ValueId fixed;

  DynamicNet() {
    const ValueId x = graph.add_input("x", DType::Float32, {-1, 2, 4, 4});
    kernel = graph.add_constant("kernel", Tensor(DType::Float32, {3, 2, 1, 1}));
    matrix = graph.add_constant("matrix", Tensor(DType::Float32, {4, 2}));
    fixed = graph.add_constant("fixed", Tensor(DType::Float32, {2, 1}));
    graph.value(fixed).fixed = true;
    for (const ValueId id : {kernel, matrix, fixed}) {
      float number = 0;
      for (float& value : graph.value(id).constant->as<float>()) value = -(number += 127);
    }
    const ValueId y = graph.add_op("Conv", "conv", {x, kernel});
    const ValueId z = graph.add_op("MatMul", "product", {y, matrix});
    graph.add_output(graph.add_op("MatMul", "sum", {z, fixed}));
  }
};

TEST(DynamicTable, HoldsLearntWeightsAlone) {
  const DynamicNet net;
  const QuantTable table = dynamic_table(net.graph, targets_named({"onnxruntime-cpu"}));
  EXPECT_EQ(table.values().size(), 2U);
  EXPECT_EQ(table.at(net.kernel, net.graph).scale, (std::vector<float>{2, 4, 6}));
  EXPECT_EQ(table.at(net.kernel, net.graph).axis, 0);
  EXPECT_EQ(table.at(net.matrix, net.graph).scale, (std::vector<float>{7, 8}));
  EXPECT_EQ(table.at(net.matrix, net.graph).axis, 1);
  EXPECT_EQ(table.find(net.fixed), nullptr);
}

TEST(DynamicTable, GivesProductsOneScaleForTflite) {
  const DynamicNet net;
  const QuantTable table = dynamic_table(net.graph, targets_named({"onnxruntime-cpu", "tflite"}));
  EXPECT_EQ(table.at(net.kernel, net.graph).scale, (std::vector<float>{2, 4, 6}));
  EXPECT_EQ(table.at(net.matrix, net.graph).scale, std::vector<float>{8});
  EXPECT_TRUE(table.at(net.matrix, net.graph).per_tensor());
}

TEST(DynamicTable, RefusesWeightsThatAreNotFinite) {
  DynamicNet net;
  net.graph.value(net.matrix).constant->as<float>()[3] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(message_of([&] { dynamic_table(net.graph, targets_named({"tflite"})); }),
            "the weight 'matrix' is not finite");
}

TEST(DynamicGrid, IsEachImagesOwn) {
  // The second image is a hundred times the first.
  const at::Tensor batch = to_torch(test::random_tensor({2, 3, 4, 4}, 5, -1, 3));
  batch[1].mul_(100);
  const at::Tensor rounded = fake_quantize_images(batch);
  for (int64_t i = 0; i < 2; ++i) {
    const float step = (batch[i].max().item<float>() - batch[i].min().item<float>()) / 255;
    const at::Tensor error = (rounded[i] - batch[i]).abs();
    EXPECT_LE(error.max().item<float>(), step * 0.51F);
    EXPECT_GE(error.max().item<float>(), step * 0.3F) << "it is rounded";
  }
  const at::Tensor again = fake_quantize_images(rounded);
  EXPECT_LE((again - rounded).abs().max().item<float>(), 1e-3F);
}

TEST(DynamicGrid, HoldsZeroAndPassesGradients) {
  const at::Tensor positive = at::full({1, 4}, 5.0F);
  EXPECT_NEAR(fake_quantize_images(positive)[0][0].item<float>(), 5, 1e-5);
  EXPECT_EQ(fake_quantize_images(at::zeros({1, 4})).abs().max().item<float>(), 0);
  at::Tensor batch = to_torch(test::random_tensor({2, 8}, 6, -1, 1)).set_requires_grad(true);
  (fake_quantize_images(batch) * 3).sum().backward();
  EXPECT_TRUE(batch.grad().eq(3).all().item<bool>());
}

}  // namespace
}  // namespace octet
