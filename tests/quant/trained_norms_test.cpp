#include "quant/trained_norms.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "quant/simulate.h"
#include "quant/training_simulation.h"
#include "support/calibrated_network.h"

namespace octet {
namespace {

/// A network whose normalizations are trained, after a look at its images.
struct Normalized {
  explicit Normalized(test::CalibratedNetwork& of, const LearnedGrids& learned = {.norms = true})
      : net(of),
        executor(net.graph),
        simulation(net.graph, net.placement, net.table, executor, learned) {}

  void begin() {
    for (auto [id, parameter] : executor.parameters()) parameter.set_requires_grad(true);
    simulation.norms()->begin([this] { run(); });
  }
  at::Tensor run(bool training = false) {
    const at::Tensor input = net.input();
    return executor.run({&input, 1}, simulation, training).at(0);
  }
  at::Tensor deployed() {
    const at::NoGradGuard no_grad;
    Graph trained = net.graph;
    QuantTable table = net.table;
    executor.write_back(trained);
    simulation.write(trained, table);
    Executor fresh(trained);
    Simulation rounds(trained, net.placement, table);
    const at::Tensor input = net.input();
    return fresh.run({&input, 1}, rounds).at(0);
  }

  test::CalibratedNetwork& net;
  Executor executor;
  TrainingSimulation simulation;
};

float step_of(const test::CalibratedNetwork& net) {
  return net.table.find(net.graph.outputs()[0])->scale[0];
}

class TrainedNormsOf : public ::testing::TestWithParam<const char*> {};

TEST_P(TrainedNormsOf, ChangeNothingByThemselves) {
  test::CalibratedNetwork net(GetParam());
  Normalized normalized(net);
  const at::NoGradGuard no_grad;
  const at::Tensor before = normalized.run();
  normalized.begin();
  EXPECT_FALSE(folded_norms(net.graph).empty());
  // Biases go through a sum and a difference: some fall to the integer beside.
  EXPECT_LE((normalized.run() - before).abs().max().item<float>(), step_of(net) * 1.01F);
  EXPECT_LE((normalized.deployed() - before).abs().mean().item<float>(), step_of(net) * 0.5F);
}

TEST_P(TrainedNormsOf, OfTheBatchTheyWereTakenFromDoWhatTheFoldedOnesDo) {
  test::CalibratedNetwork net(GetParam());
  Normalized normalized(net);
  normalized.begin();
  at::Tensor folded;
  {
    const at::NoGradGuard no_grad;
    folded = normalized.run();
  }
  const at::Tensor by_batch = normalized.run(true);
  ASSERT_TRUE(by_batch.requires_grad());
  EXPECT_LE((by_batch - folded).abs().mean().item<float>(), step_of(net));
}

/// Of the square of what comes out of a network whose weights have been scaled.
TEST_P(TrainedNormsOf, GradientsReachFactorsAndWeights) {
  test::CalibratedNetwork net(GetParam());
  Normalized normalized(net);
  normalized.begin();
  normalized.run(true).square().sum().backward();
  size_t factors = 0;
  for (const auto& [name, variable] : normalized.simulation.variables()) {
    if (!name.ends_with("/norm")) continue;
    ASSERT_TRUE(variable.grad().defined()) << name;
    factors += variable.grad().abs().sum().item<float>() > 0 ? 1 : 0;
  }
  EXPECT_GT(factors, 8U);
}

TEST_P(TrainedNormsOf, WriteTheFoldedNetwork) {
  test::CalibratedNetwork net(GetParam());
  Normalized normalized(net);
  normalized.begin();
  {
    const at::NoGradGuard no_grad;
    for (const auto& [name, variable] : normalized.simulation.variables()) {
      if (name.ends_with("/norm")) variable.mul_(1.3F);
    }
    for (auto [id, parameter] : normalized.executor.parameters()) {
      if (parameter.dim() == 4) parameter.mul_(0.7F);  // which the next look makes up for
    }
  }
  const auto statistics = normalized.simulation.statistics();
  const std::string first = statistics.begin()->first;
  const at::Tensor old = statistics.begin()->second.clone();
  normalized.run(true);
  EXPECT_GT((statistics.at(first) - old).abs().max().item<float>(), 0) << "they run";
  normalized.simulation.norms()->estimate([&] { normalized.run(); });
  const at::NoGradGuard no_grad;
  const at::Tensor simulated = normalized.run();
  EXPECT_LE((normalized.deployed() - simulated).abs().mean().item<float>(), step_of(net) * 0.5F);
}

INSTANTIATE_TEST_SUITE_P(Networks, TrainedNormsOf,
                         ::testing::Values("resnet20", "mobilenetv3-tiny", "mobilenetv2"));

TEST(TrainedNorms, OnceFrozenAreFolded) {
  test::CalibratedNetwork net("resnet20");
  Normalized normalized(net);
  normalized.begin();
  normalized.run(true);
  normalized.simulation.norms()->freeze();
  const auto statistics = normalized.simulation.statistics();
  const at::Tensor old = statistics.begin()->second.clone();
  const at::Tensor trained = normalized.run(true);
  normalized.simulation.norms()->estimate([&] { normalized.run(); });
  EXPECT_TRUE(statistics.begin()->second.equal(old));
  trained.square().sum().backward();
  for (const auto& [name, variable] : normalized.simulation.variables()) {
    EXPECT_TRUE(variable.grad().defined() || !name.ends_with("/norm")) << name;
  }
  const at::NoGradGuard no_grad;
  EXPECT_TRUE(trained.equal(normalized.run()));
}

TEST(TrainedNorms, FitWeightsWithOneScale) {
  test::CalibratedNetwork net("resnet20", {.weights = Scheme::Weights::PerTensor});
  Normalized normalized(net);
  const at::NoGradGuard no_grad;
  const at::Tensor before = normalized.run();
  normalized.begin();
  EXPECT_LE((normalized.run() - before).abs().max().item<float>(), step_of(net) * 1.01F);
}

TEST(TrainedNorms, AreOnlyWhereANormalizationWasFolded) {
  const test::CalibratedNetwork net("mobilenetv3-tiny");
  Executor executor(net.graph);
  const TrainedNorms norms(net.graph, executor);
  size_t convolutions = 0;
  for (const NodeId id : net.graph.order()) {
    convolutions += net.graph.node(id).op == "Conv" ? 1 : 0;
  }
  EXPECT_LT(norms.variables().size(), convolutions) << "squeeze-and-excitation has none";
  EXPECT_GT(norms.variables().size(), 5U);
}

}  // namespace
}  // namespace octet
