#include "train/teacher.h"

#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "support/error_of.h"
#include "train/bars.h"
#include "train/mixup.h"

namespace octet {
namespace {

class Teaching : public test::Bars {};

TEST_F(Teaching, HasNothingToTeachItsTwin) {
  const Graph graph = network();
  const TeacherSettings settings{.weight = 1, .temperature = 3, .features = 1};
  Teacher teacher(graph, graph, settings);
  ASSERT_FALSE(teacher.features().empty());
  for (const ValueId id : teacher.features()) {
    EXPECT_EQ(graph.node(*graph.producer(id)).op, "Add") << graph.value(id).name;
  }
  at::manual_seed(1);
  const at::Tensor images = at::randn({8, 1, 12, 12});
  Part part{graph.order(), graph.inputs(), graph.outputs()};
  std::ranges::copy(teacher.features(), std::back_inserter(part.outputs));
  Executor student(graph, part);
  Interpretation plain;
  std::vector<at::Tensor> outputs = student.run({&images, 1}, plain);
  EXPECT_NEAR(teacher.divergence(images, outputs).item<double>(), 0, 1e-6);
  EXPECT_NEAR(teacher.feature_error(outputs).item<double>(), 0, 1e-9);

  // Nothing at all has an error of one of its mean squares.
  for (size_t i = 1; i < outputs.size(); ++i) outputs[i] = outputs[i] * 0;
  EXPECT_NEAR(teacher.feature_error(outputs).item<double>(), 1, 1e-4);
  outputs[0] = outputs[0].flip({1});
  EXPECT_GT(teacher.divergence(images, outputs).item<double>(), 1e-5);
}

TEST_F(Teaching, TakesTheKullbackLeiblerDivergence) {
  Graph graph;  // logits are the image
  const ValueId x = graph.add_input("x", DType::Float32, {-1, 2});
  graph.add_output(graph.add_op("Identity", "same", {x}));
  infer_shapes(graph);
  Teacher teacher(graph, graph, {.weight = 1, .temperature = 2});
  const at::Tensor images = at::zeros({1, 2});  // one half each
  const at::Tensor logits = at::zeros({1, 2});
  logits[0][0] = 2 * std::log(3.0);  // 3/4 and 1/4 at temperature 2
  const double wanted = 0.5 * std::log(0.5 / 0.75) + 0.5 * std::log(0.5 / 0.25);
  EXPECT_NEAR(teacher.divergence(images, {logits}).item<double>(), 4 * wanted, 1e-6);
}

TEST_F(Teaching, RefusesFeaturesThatNobodyShares) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {-1, 2});
  graph.add_output(graph.add_op("Identity", "same", {x}));
  infer_shapes(graph);
  EXPECT_EQ(message_of([&] { Teacher(graph, graph, {.weight = 1, .features = 1}); }),
            "qat: the network and its teacher have no value in common that features could be; set "
            "'teacher: {features: 0}'");
}

TEST(Mixup, DrawsFromBeta) {
  for (const double alpha : {0.2, 1.0}) {
    double sum = 0;
    double squares = 0;
    constexpr int kDraws = 20000;
    for (int i = 0; i < kDraws; ++i) {
      const double share = mixup_share(alpha, 7, static_cast<uint64_t>(i));
      ASSERT_GE(share, 0);
      ASSERT_LE(share, 1);
      sum += share;
      squares += (share - 0.5) * (share - 0.5);
    }
    EXPECT_NEAR(sum / kDraws, 0.5, 0.01);
    EXPECT_NEAR(squares / kDraws, 1 / (4 * (2 * alpha + 1)), 0.005) << alpha;
  }
  EXPECT_EQ(mixup_share(0.2, 7, 3), mixup_share(0.2, 7, 3));
  EXPECT_NE(mixup_share(0.2, 7, 3), mixup_share(0.2, 8, 3));
}

TEST(Mixup, MixesWithTheReverse) {
  const at::Tensor mixed = mixed_with_reverse(at::arange(3).to(at::kFloat), 0.75);
  EXPECT_FLOAT_EQ(mixed[0].item<float>(), 0.5F);
  EXPECT_FLOAT_EQ(mixed[1].item<float>(), 1);
  EXPECT_FLOAT_EQ(mixed[2].item<float>(), 1.5F);
}

}  // namespace
}  // namespace octet
