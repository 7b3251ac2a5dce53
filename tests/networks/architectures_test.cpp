#include "networks/architectures.h"

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>

#include <format>
#include <limits>

#include "base/file.h"
#include "engine/cost.h"
#include "engine/executor.h"
#include "formats/onnx/onnx_file.h"
#include "runtime/session.h"
#include "support/error_of.h"
#include "support/graph_builder.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

using test::random_tensor;

at::Tensor logits_of(const Graph& graph, const at::Tensor& images) {
  Interpretation plain;
  return Executor(graph).run({&images, 1}, plain).at(0);
}

/// The largest difference, as a share of the largest number of `wanted`.
double relative_error(const at::Tensor& given, const at::Tensor& wanted) {
  if (given.sizes() != wanted.sizes()) return std::numeric_limits<double>::infinity();
  return ((given - wanted).abs().max() / wanted.abs().max()).item<double>();
}

TEST(Architectures, HaveThePublishedParametersAndMultiplyAdds) {
  struct Case {
    const char* name;
    int64_t parameters;
    double multiply_adds;  ///< in 10^9, with the digits that were published
    double tolerance;
  };
  const Case cases[] = {
      // torchvision's weights: num_params and _ops, which counts convolutions and products.
      {"mobilenetv2", 3'504'872, 0.301, 0.0005},
      {"mobilenetv3-small", 2'542'856, 0.057, 0.0005},
      {"efficientnet-b0", 5'288'548, 0.386, 0.0005},
      {"resnet18", 11'689'512, 1.814, 0.0005},
      {"resnet50", 25'557'032, 4.089, 0.0005},
      // timm's parameters. The 0.40 and 0.407 that are published count normalizations, too; this is
      // EfficientNet-B0 without its gates.
      {"efficientnet-lite0", 4'652'008, 0.385, 0.001},
      // The authors' modules, counted by hand; they publish 9.1 M and 0.52 G for B1, timm 3.41 M
      // and
      // 0.10 G for B0.
      {"efficientvit-b0", 3'410'008, 0.10, 0.005},
      {"efficientvit-b1", 9'102'024, 0.52, 0.005},
      // DeiT-Ti of timm; our class token is in the first position's embedding. timm counts
      // normalizations, too.
      {"vit-tiny", 5'717'416 - 192, 1.26, 0.02 * 1.26},
  };
  for (const Case& row : cases) {
    SCOPED_TRACE(row.name);
    const Cost cost = cost_of(make_network(row.name, {{3, 224, 224}, 1000, 1.0}, 1));
    EXPECT_EQ(cost.parameters, row.parameters);
    EXPECT_NEAR(static_cast<double>(cost.multiply_adds) * 1e-9, row.multiply_adds, row.tolerance);
  }
}

TEST(Architectures, RunAsOnnxRuntimeRunsTheirFiles) {
  double worst = 0;
  for (const Architecture& architecture : all_architectures()) {
    SCOPED_TRACE(architecture.name);
    // The attention of EfficientViT takes its linear form on the first size, the other on the
    // second.
    for (const int64_t extent : {int64_t{96}, int64_t{64}}) {
      const Graph graph = make_network(architecture.name, {{3, extent, extent}, 7, 0.25}, 5);
      const Tensor images = random_tensor({2, 3, extent, extent}, 77, -2, 2);
      const at::Tensor both = to_torch(images);
      const at::Tensor logits = logits_of(graph, both);
      ASSERT_EQ(from_torch(logits).shape, (Shape{2, 7}));
      EXPECT_GT(relative_error(logits[0], logits[1]), 1e-3) << "two images have the same logits";
      for (int64_t i = 0; i < 2; ++i) {
        const at::Tensor one = logits_of(graph, both.slice(0, i, i + 1));
        EXPECT_LE(relative_error(one, logits.slice(0, i, i + 1)), 1e-5) << "image " << i;
      }
      const TempFolder folder;
      write_file(folder / "float.onnx", write_onnx(graph));
      const auto session = open_session(folder / "float.onnx", 1);
      for (int64_t count = 1; count <= 2; ++count) {
        const auto given = session->run(
            images.as<float>().first(static_cast<size_t>(count * 3 * extent * extent)), count);
        const Tensor table = Tensor::of<float>({count, 7}, given);
        const double error = relative_error(to_torch(table), logits.slice(0, 0, count));
        EXPECT_LE(error, 1e-4) << count << " images";
        worst = std::max(worst, error);
      }
    }
  }
  RecordProperty("largest_relative_error", std::format("{:.2e}", worst));
}

TEST(Architectures, AreTheSameForTheSameSeed) {
  for (const Architecture& architecture : all_architectures()) {
    SCOPED_TRACE(architecture.name);
    const auto bytes = [&](double width, uint64_t seed) {
      return write_onnx(make_network(architecture.name, {{3, 32, 32}, 10, width}, seed));
    };
    const auto first = bytes(0.25, 1);
    EXPECT_EQ(bytes(0.25, 1), first);
    EXPECT_NE(bytes(0.25, 2), first);
    EXPECT_GT(bytes(0.5, 1).size(), first.size()) << "a wider network";
  }
}

TEST(Architectures, ArePreparedForTraining) {
  // Fresh normalizations: statistics of 0 and 1, learnt scales of 1. A head without a preference.
  for (const Architecture& architecture : all_architectures()) {
    SCOPED_TRACE(architecture.name);
    const Graph graph = make_network(architecture.name, {{3, 32, 32}, 10, 0.25}, 1);
    for (const NodeId id : graph.order()) {
      const Node& node = graph.node(id);
      const bool norm = node.op == "BatchNormalization" || node.op == "LayerNormalization";
      const bool head = graph.is_output(node.outputs[0]);
      for (size_t i = 1; i < node.inputs.size() && (norm || (head && i > 1)); ++i) {
        const float wanted = norm && (i == 1 || i == 4) ? 1.0F : 0.0F;
        if (head && i == 1) continue;
        for (const float number : graph.constant_input(node, i)->as<float>()) {
          ASSERT_EQ(number, wanted) << describe(node) << " input " << i;
        }
      }
    }
  }
}

TEST(Architectures, NameWhatTheyCannotMake) {
  const auto refused = [](const char* name, const NetworkSize& size) {
    const Error error = error_of([&] { make_network(name, size, 1); });
    EXPECT_EQ(error.code(), Code::Usage);
    return std::string(error.what());
  };
  EXPECT_EQ(refused("lenet", {{3, 32, 32}, 10, 1.0}),
            "unknown architecture 'lenet'; known are mobilenetv3-tiny, resnet20, mobilenetv2, "
            "mobilenetv3-small, efficientnet-lite0, efficientnet-b0, efficientvit-b0, "
            "efficientvit-b1, vit-tiny, resnet18, resnet50");
  EXPECT_EQ(refused("vit-tiny", {{3, 28, 32}, 10, 1.0}),
            "vit-tiny cuts images into patches of 16x16: its input wants a height and a width that "
            "are multiples of 16; given 28x32");
  EXPECT_EQ(refused("resnet18", {{3, 32, 32}, 0, 1.0}),
            "a network wants an input CxHxW, one class or more and a width above 0; given 3x32x32, "
            "0 and 1");
}

}  // namespace
}  // namespace octet
