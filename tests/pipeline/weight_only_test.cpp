// Products of weights in groups: ONNX Runtime's MatMulNBits against the network of the same
// weights.
#include <gtest/gtest.h>

#include "api/stages.h"
#include "base/file.h"
#include "runtime/session.h"
#include "support/error_of.h"
#include "support/graph_builder.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

using namespace test;

/// x [N, 3, inputs] -> MatMul, bias, Gelu -> Gemm of a matrix that lies the other way.
Graph two_products(int64_t inputs, const Shape& bias_shape) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {-1, 3, inputs});
  const ValueId first = graph.add_constant("first", random_tensor({inputs, 12}, 1));
  const ValueId bias = graph.add_constant("bias", random_tensor({12}, 2));
  const ValueId second = graph.add_constant("second", random_tensor({5, 36}, 3));
  const ValueId last = graph.add_constant("last", random_tensor(bias_shape, 4));
  const ValueId list = graph.add_constant("list", numbers({-1, 36}));
  ValueId y = graph.add_op("MatMul", "wide", {x, first});
  y = graph.add_op("Gelu", "bent", {graph.add_op("Add", "moved", {y, bias})});
  y = graph.add_op("Reshape", "flat", {y, list});
  graph.add_output(graph.add_op("Gemm", "narrow", {y, second, last}, {{"transB", int64_t{1}}}));
  infer_shapes(graph);
  return graph;
}

Deployment in_groups(const Scheme::Groups& groups) {
  const std::vector<std::string> names{"onnxruntime-cpu"};
  return {.targets = TargetSet(names),
          .scheme = {.ranges = Scheme::Ranges::WeightOnly, .groups = groups}};
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double difference = 0;
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference = std::max<double>(difference, std::abs(a[i] - b[i]));
    largest = std::max<double>(largest, std::abs(b[i]));
  }
  return difference / largest;
}

std::vector<float> run_file(const TempFolder& folder, std::span<const std::byte> bytes,
                            std::span<const float> images) {
  write_file(folder / "n.onnx", bytes);
  return open_session(folder / "n.onnx", 1)->run(images, 4);
}

TEST(WeightOnly, FilesComputeWhatTheirWeightsSay) {
  const TempFolder folder;
  for (const int bits : kGroupBits) {
    for (const int64_t size : kGroupSizes) {
      for (const bool symmetric : {false, true}) {
        const int64_t inputs = symmetric ? 256 : 100;  // whole groups, and a part of one
        const Scheme::Groups groups{.bits = bits, .size = size, .symmetric = symmetric};
        const Graph graph = two_products(inputs, symmetric ? Shape{5} : Shape{1, 5});
        const QuantizedNetwork network =
            quantize_in_groups(graph, in_groups(groups), nullptr, {}, {});
        const Tensor data = random_tensor({4, 3, inputs}, 31, -3, 3);
        const auto images = data.as<float>();
        const auto file = run_file(folder, quantized_file(network, folder / "n.onnx"), images);
        const auto same = run_file(folder, write_onnx(network.graph), images);
        EXPECT_LE(largest_difference(file, same), 2e-6) << bits << " " << size << " " << symmetric;
        const auto real = run_file(folder, write_onnx(graph), images);
        EXPECT_LE(largest_difference(file, real), bits == 4 ? 0.2 : 0.01) << bits << " " << size;
        EXPECT_GT(largest_difference(file, real), 0) << "nothing was rounded";
      }
    }
  }
}

TEST(WeightOnly, ProductsTakeTheirBiasAndSayTheirBits) {
  const TempFolder folder;
  const QuantizedNetwork network =
      quantize_in_groups(two_products(64, {5}), in_groups({.bits = 8}), nullptr, {}, {});
  write_file(folder / "n.onnx", quantized_file(network, folder / "n.onnx"));
  std::string text;
  for (const OperatorUse& use : open_session(folder / "n.onnx", 1)->operators()) {
    text += use.name + ":" + use.arithmetic + " ";
  }
  EXPECT_TRUE(text.contains("MatMulNBits:int8-weights ")) << text;
  for (const char* other : {"MatMul:", "Gemm:", "Add:"}) {
    EXPECT_FALSE(text.contains(other)) << other << " in " << text;
  }
}

TEST(WeightOnly, RefuseWhatTheyWouldNotChange) {
  Graph graph;
  graph.add_output(graph.add_op("Relu", "cut", {graph.add_input("x", DType::Float32, {-1, 4})}));
  infer_shapes(graph);
  EXPECT_EQ(message_of([&] { quantize_in_groups(graph, in_groups({}), nullptr, {}, {}); }),
            "the network has no product with a constant matrix (MatMul, Gemm); weight-only ranges "
            "would change nothing");
  Graph infinite = two_products(32, {5});
  infinite.value(*infinite.find("second")).constant->as<float>()[7] = INFINITY;
  EXPECT_EQ(message_of([&] { quantize_in_groups(infinite, in_groups({}), nullptr, {}, {}); }),
            "the weight 'second' is not finite");
}

}  // namespace
}  // namespace octet
