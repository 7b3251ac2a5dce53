#include "quant/observed_range.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/linspace.h>
#include <gtest/gtest.h>

#include "quant/solve.h"
#include "quant/training_simulation.h"
#include "support/calibrated_network.h"

namespace octet {
namespace {

constexpr FromData kUnbounded{-kInfinity, kInfinity};

at::Tensor from_to(float low, float high) { return at::linspace(low, high, 100); }

TEST(ObservedRange, BeginsAsItIsAndFollowsWhatIsSeen) {
  const QuantParams given = activation_params({.low = -1, .high = 3, .empty = false});
  ObservedRange range(given, kUnbounded, {});
  EXPECT_EQ(range.params().zero_point, given.zero_point);
  EXPECT_FLOAT_EQ(range.params().scale[0], given.scale[0]);
  for (int i = 0; i < 1000; ++i) range.look(from_to(-4, 4));
  const QuantParams now = range.params();
  EXPECT_NEAR(now.scale[0], 8.0F / 255.0F, 1e-4);
  EXPECT_NEAR(now.zero_point[0], 0, 1);
}

TEST(ObservedRange, LooksOnlyWhileTraining) {
  const QuantParams given = activation_params({.low = -1, .high = 3, .empty = false});
  ObservedRange range(given, kUnbounded, {});
  {
    const at::NoGradGuard no_grad;
    range.look(from_to(-9, 9));
  }
  EXPECT_FLOAT_EQ(range.params().scale[0], given.scale[0]);
  range.freeze();
  range.look(from_to(-9, 9));
  EXPECT_FLOAT_EQ(range.params().scale[0], given.scale[0]);
}

TEST(ObservedRange, StaysWithinTheBoundsOfAnAbsorbedActivation) {
  const QuantParams given = activation_params({.low = 0, .high = 5, .empty = false});
  ObservedRange range(given, {0, 6}, {});
  for (int i = 0; i < 2000; ++i) range.look(from_to(-9, 9));
  EXPECT_NEAR(range.params().scale[0], 6.0F / 255.0F, 1e-5);
  EXPECT_EQ(range.params().zero_point[0], -128);
}

TEST(ObservedRange, KeepsPowersOfTwo) {
  const Scheme scheme{.scales = Scheme::Scales::PowerOfTwo};
  const Range start{.low = -1, .high = 3, .empty = false};
  ObservedRange range(activation_params(start, scheme), kUnbounded, scheme);
  for (int i = 0; i < 1000; ++i) range.look(from_to(-20, 20));
  EXPECT_EQ(range.params().scale[0], 0.25F);
}

TEST(ObservedRange, OfAWholeNetworkIsWritten) {
  test::CalibratedNetwork net("mobilenetv2");
  Executor executor(net.graph);
  TrainingSimulation simulation(net.graph, net.placement, net.table, executor,
                                {.activations = GridMoves::Observed});
  EXPECT_GT(simulation.statistics().size(), 20U);
  for (auto [id, parameter] : executor.parameters()) parameter.set_requires_grad(true);
  const at::Tensor input = net.input() * 2;
  executor.run({&input, 1}, simulation, true).at(0).sum().backward();
  QuantTable seen = net.table;
  simulation.write(net.graph, seen);
  const ValueId in = net.graph.inputs()[0];
  EXPECT_GT(seen.find(in)->scale[0], net.table.find(in)->scale[0] * 1.005F);
  for (const auto& [name, variable] : simulation.variables()) {
    const auto id = net.graph.find(name);
    ASSERT_TRUE(id && net.graph.is_constant(*id)) << name << ": no gradient moves activations";
  }
}

}  // namespace
}  // namespace octet
