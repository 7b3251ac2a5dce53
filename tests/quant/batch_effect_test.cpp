#include "quant/batch_effect.h"

#include <gtest/gtest.h>

#include "engine/executor.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

/// x - mean(x), taken over these axes, then a convolution.
double effect_of(std::vector<int64_t> axes, std::span<const float> images) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {-1, 1, 2, 2});
  const ValueId over = graph.add_constant("axes", Tensor::vector(axes));
  const ValueId mean = graph.add_op("ReduceMean", "mean", {x, over});
  const ValueId centred = graph.add_op("Sub", "centred", {x, mean});
  const ValueId w = graph.add_constant("w", test::random_tensor({2, 1, 2, 2}, 1));
  graph.add_output(graph.add_op("Conv", "conv", {centred, w}));
  infer_shapes(graph);
  return batch_effect(graph, images);
}

TEST(BatchEffect, IsOfNetworksThatLookAtOtherImages) {
  const std::vector<float> images{1, 2, 3, 4, 5, 7, 8, 8};
  EXPECT_LT(effect_of({2, 3}, images), 1e-6);
  EXPECT_GT(effect_of({0, 2, 3}, images), 0.1);
}

TEST(BatchEffect, IsNotOfNumbersThatAreNone) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> images{1, nan, 3, 4, 5, 7, 8, 8};
  EXPECT_EQ(effect_of({0, 2, 3}, images), 0);
  EXPECT_EQ(effect_of({2, 3}, std::vector<float>(8, 0)), 0);
}

}  // namespace
}  // namespace octet
