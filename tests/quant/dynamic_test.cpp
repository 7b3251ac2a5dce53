#include "quant/dynamic.h"

#include <gtest/gtest.h>

#include <limits>

#include "support/error_of.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

TargetSet targets_named(std::vector<std::string> names) { return TargetSet(names); }

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

}  // namespace
}  // namespace octet
