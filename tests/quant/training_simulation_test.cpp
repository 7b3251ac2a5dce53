#include "quant/training_simulation.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fake_quantize_learnable_per_tensor_affine.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>

#include "networks/architectures.h"
#include "passes/passes.h"
#include "quant/apart_from_weights.h"
#include "quant/calibrate.h"
#include "quant/fake_quantize_channels.h"
#include "quant/rounding_step.h"
#include "quant/simulate.h"
#include "quant/solve.h"
#include "support/calibrated_network.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

struct Gradients {
  at::Tensor output;
  std::map<std::string, at::Tensor> of;
};

/// Of a loss that weighs all outputs differently, for weights and grids.
Gradients gradients_of(const test::CalibratedNetwork& net, const LearnedGrids& learned) {
  Executor executor(net.graph);
  for (auto [id, parameter] : executor.parameters()) parameter.set_requires_grad(true);
  TrainingSimulation simulation(net.graph, net.placement, net.table, executor, learned);
  const at::Tensor input = net.input();
  const at::Tensor output = executor.run({&input, 1}, simulation, true).at(0);
  const at::Tensor weighing = to_torch(test::random_tensor({4, 10}, 5, -1, 1));
  (output * weighing).sum().backward();
  Gradients all{.output = output.detach(), .of = {}};
  for (const auto& [id, parameter] : executor.parameters()) {
    if (parameter.grad().defined()) all.of["weight:" + net.graph.value(id).name] = parameter.grad();
  }
  for (const auto& [name, variable] : simulation.variables()) {
    if (variable.grad().defined()) all.of["grid:" + name] = variable.grad();
  }
  return all;
}

class TrainingSimulationOf : public ::testing::TestWithParam<const char*> {};

// Where zero points learn there are no tables, so each operator runs by itself.
TEST_P(TrainingSimulationOf, TablesGiveWhatTheirOperatorsGive) {
  const test::CalibratedNetwork net(GetParam());
  const Gradients fused = gradients_of(net, {});
  const Gradients apart = gradients_of(net, {.zero_points = true});
  const float step = net.table.find(net.graph.outputs()[0])->scale[0];
  EXPECT_LE((fused.output - apart.output).abs().max().item<float>(), step * 1.01F);
  size_t grids = 0;
  for (const auto& [name, gradient] : fused.of) {
    ASSERT_TRUE(apart.of.contains(name)) << name;
    const at::Tensor& other = apart.of.at(name);
    // Ties fall either way, so a few elements may differ.
    const float norm = other.norm().item<float>();
    EXPECT_LE((gradient - other).norm().item<float>(), 0.05F * norm + 1e-4F) << name;
    grids += name.starts_with("grid:") ? 1 : 0;
  }
  EXPECT_GT(grids, 30U);
}

TEST_P(TrainingSimulationOf, WritesTheGridsThatItHasLearned) {
  test::CalibratedNetwork net(GetParam());
  Executor executor(net.graph);
  TrainingSimulation simulation(net.graph, net.placement, net.table, executor);
  const auto variables = simulation.variables();
  {
    const at::NoGradGuard no_grad;
    float next = -0.3F;
    for (const auto& [name, variable] : variables) {
      variable.fill_(next);
      next = next > 0.3F ? -0.3F : next + 0.11F;
    }
  }
  simulation.after_step();
  QuantTable learned = net.table;
  simulation.write(net.graph, learned);
  EXPECT_NE(learned.find(net.graph.inputs()[0])->scale,
            net.table.find(net.graph.inputs()[0])->scale);
  const at::NoGradGuard no_grad;
  const at::Tensor input = net.input();
  Simulation deployed(net.graph, net.placement, learned);
  const at::Tensor a = executor.run({&input, 1}, deployed).at(0);
  const at::Tensor b = executor.run({&input, 1}, simulation, true).at(0);
  const float step = learned.find(net.graph.outputs()[0])->scale[0];
  // Weights are divided here and multiplied by the inverse there, and ties add up.
  EXPECT_LE((a - b).abs().mean().item<float>(), step * 0.5F);
}

INSTANTIATE_TEST_SUITE_P(Networks, TrainingSimulationOf,
                         ::testing::Values("resnet20", "mobilenetv3-tiny", "mobilenetv2"));

TEST(TrainingSimulation, NeverWidensBeyondAnAbsorbedActivation) {
  test::CalibratedNetwork net("mobilenetv2");
  Executor executor(net.graph);
  TrainingSimulation simulation(net.graph, net.placement, net.table, executor);
  const at::NoGradGuard no_grad;
  for (const auto& [name, variable] : simulation.variables()) variable.fill_(3.0F);
  simulation.after_step();
  QuantTable learned = net.table;
  simulation.write(net.graph, learned);
  size_t clips = 0;
  for (const NodeId id : net.graph.order()) {
    const Node& node = net.graph.node(id);
    const QuantParams* params = learned.find(node.outputs[0]);
    if (node.op != "Clip" || !params) continue;
    ++clips;
    EXPECT_LE(params->scale[0] * static_cast<float>(params->high - params->zero_point[0]), 6.001F);
    EXPECT_EQ(params->zero_point[0], params->low);
  }
  EXPECT_GT(clips, 10U);
}

TEST(TrainingSimulation, GridsOfConstantsFollowTheirNumbers) {
  const test::CalibratedNetwork net("mobilenetv3-tiny");
  Executor executor(net.graph);
  const TrainingSimulation simulation(net.graph, net.placement, net.table, executor);
  size_t weights = 0;
  for (const auto& [name, variable] : simulation.variables()) {
    const ValueId id = *net.graph.find(name);
    if (!net.graph.is_constant(id)) continue;
    const GroupRule& rule = net.placement.groups[net.placement.group_of.at(id)].rule;
    EXPECT_TRUE(std::holds_alternative<WeightGrid>(rule)) << name;
    ++weights;
  }
  EXPECT_GT(weights, 5U);
}

TEST(TrainingSimulation, AChannelOfZerosCanGrow) {
  test::CalibratedNetwork net("resnet20");
  ValueId weight = kAbsent;
  for (const Group& group : net.placement.groups) {
    if (std::holds_alternative<WeightGrid>(group.rule)) weight = group.members[0];
  }
  auto values = net.graph.value(weight).constant->as<float>();
  const size_t row = values.size() / static_cast<size_t>(net.graph.value(weight).shape[0]);
  std::ranges::fill(values.first(row), 0.0F);
  solve_constants(net.graph, net.placement, net.table);
  Executor executor(net.graph);
  TrainingSimulation simulation(net.graph, net.placement, net.table, executor);
  const at::NoGradGuard no_grad;
  const at::Tensor moved = executor.constant(weight).clone();
  moved.select(0, 0).fill_(1e-4F);
  const at::Tensor rounded = simulation.constant(weight, moved);
  EXPECT_GT(rounded.select(0, 0).max().item<float>(), 5e-5F);
}

/// A grid that a clipped value shares with others may learn to reach beyond the clip.
TEST(TrainingSimulation, ComputesAClipThatItsGridMayOutgrow) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {-1, 4});
  const ValueId zero = graph.add_constant("zero", Tensor::scalar(0.0F));
  const ValueId six = graph.add_constant("six", Tensor::scalar(6.0F));
  const ValueId y = graph.add_op("Clip", "y", {x, zero, six});
  graph.add_output(y);
  infer_shapes(graph);
  for (const bool shared : {false, true}) {
    Placement placement;
    placement.groups.push_back({{x}, FromData{-kInfinity, kInfinity}});
    placement.groups.push_back({{y}, shared ? FromData{-kInfinity, kInfinity} : FromData{0, 6}});
    placement.group_of = {{x, 0}, {y, 1}};
    QuantTable table;
    table.set(x, {.scale = {0.1F}, .zero_point = {0}});
    table.set(y, {.scale = {6.0F / 255}, .zero_point = {-128}});
    Executor executor(graph);
    TrainingSimulation simulation(graph, placement, table, executor, {.zero_points = true});
    const at::NoGradGuard no_grad;
    for (const auto& [name, variable] : simulation.variables()) {
      if (!name.contains('/')) variable.fill_(0.6F);
    }
    simulation.after_step();
    const at::Tensor input = to_torch(Tensor::of<float>({1, 4}, std::vector<float>{-3, 1, 5, 9}));
    const at::Tensor out = executor.run({&input, 1}, simulation).at(0);
    EXPECT_LE(out.max().item<float>(), 6.05F) << shared;
    EXPECT_GE(out.min().item<float>(), 0) << shared;
  }
}

TEST(TrainingSimulation, FrozenGridsAskForNoGradient) {
  const test::CalibratedNetwork net("resnet20");
  Executor executor(net.graph);
  TrainingSimulation simulation(net.graph, net.placement, net.table, executor);
  simulation.freeze();
  for (const auto& [name, variable] : simulation.variables()) {
    EXPECT_FALSE(variable.requires_grad()) << name;
  }
}

TEST(TrainingSimulation, LeavesGridsOfPowersOfTwoAlone) {
  const test::CalibratedNetwork net("resnet20", {.scales = Scheme::Scales::PowerOfTwo});
  Executor executor(net.graph);
  const TrainingSimulation simulation(net.graph, net.placement, net.table, executor);
  EXPECT_TRUE(simulation.variables().empty());
}

TEST(TrainingSimulation, LeavesValuesApartFromWeightsAsTheyAre) {
  const test::CalibratedNetwork net("mobilenetv3-tiny");
  const std::set<size_t> apart = groups_apart_from_weights(net.graph, net.placement);
  ASSERT_FALSE(apart.empty());
  Executor executor(net.graph);
  TrainingSimulation simulation(net.graph, net.placement, net.table, executor, {.apart = apart});
  size_t left = 0;
  for (const Group& group : net.placement.groups) {
    const bool activation = std::holds_alternative<FromData>(group.rule);
    const ValueId id = group.members[0];
    const QuantParams* params = net.table.find(id);
    if (!activation || net.graph.is_constant(id) || net.placement.exact.contains(id)) continue;
    // A view is not overwritten.
    const at::Tensor between = at::full({2}, params->scale[0] * 0.4F).narrow(0, 0, 1);
    const bool same = simulation.activation(id, between).equal(between);
    EXPECT_EQ(same, apart.contains(net.placement.group_of.at(id))) << net.graph.value(id).name;
    left += same ? 1 : 0;
  }
  EXPECT_GT(left, 0U);
  EXPECT_FALSE(apart.contains(net.placement.group_of.at(net.graph.inputs()[0])));
  EXPECT_FALSE(apart.contains(net.placement.group_of.at(net.graph.outputs()[0])));
}

// As in linear attention: where everything was rounded to 0, nearly nothing is left to divide by.
TEST(TrainingSimulation, DividesByNothingSmallerThanTheGridKnows) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {-1, 2, 4, 4});
  const ValueId weight =
      graph.add_constant("w", Tensor::of<float>({2, 2, 1, 1}, std::vector<float>{1, -1, -1, 1}));
  const ValueId parts = graph.add_op("Relu", "parts", {graph.add_op("Conv", "conv", {x, weight})});
  const ValueId sum =
      graph.add_op("ReduceSum", "sum", {parts, graph.add_constant("axes", test::numbers({1}))});
  const ValueId least = graph.add_constant("least", Tensor::scalar(1e-15F));
  graph.add_output(
      graph.add_op("Div", "share", {parts, graph.add_op("Add", "above", {sum, least})}));
  infer_shapes(graph);
  const std::vector<std::string> names{"onnxruntime-cpu", "tflite"};
  const TargetSet targets(names);
  lower(graph, [&](std::string_view op) { return targets.supports(op); });
  const Placement placement = place(graph, targets);
  Tensor images = test::random_tensor({1, 2, 4, 4}, 4, 0, 2);
  for (size_t i = 0; i < 16; i += 2) images.as<float>()[i] = images.as<float>()[16 + i] = 1;
  bool given = false;
  const auto next = [&](std::vector<float>& out) -> int64_t {
    if (std::exchange(given, true)) return 0;
    out.assign(images.as<float>().begin(), images.as<float>().end());
    return 1;
  };
  const QuantTable table =
      solve(graph, placement, calibrate(graph, placement, next, {.observer = "minmax"}));
  const LearnedGrids ways[] = {{.apart = groups_apart_from_weights(graph, placement)},
                               {.zero_points = true},
                               {.activations = GridMoves::Observed},
                               {}};
  for (const LearnedGrids& learned : ways) {
    Executor executor(graph);
    for (auto [id, parameter] : executor.parameters()) parameter.set_requires_grad(true);
    TrainingSimulation simulation(graph, placement, table, executor, learned);
    const at::Tensor input = to_torch(images);
    const at::Tensor weighing = to_torch(test::random_tensor({1, 2, 4, 4}, 5));
    (executor.run({&input, 1}, simulation, true).at(0) * weighing).sum().backward();
    for (const auto& [id, parameter] : executor.parameters()) {
      if (!parameter.grad().defined()) continue;
      EXPECT_LT(parameter.grad().abs().max().item<float>(), 1e6F) << graph.value(id).name;
    }
  }
}

TEST(TrainingSimulation, ValuesSeenFromOutsideAreNotOverwritten) {
  const test::CalibratedNetwork net("mobilenetv3-tiny");
  const at::NoGradGuard no_grad;
  Part part{net.graph.order(), net.graph.inputs(), net.graph.outputs()};
  std::set<ValueId> seen;
  for (const NodeId id : net.graph.order()) {
    const Node& node = net.graph.node(id);
    if (node.op == "Conv") seen.insert(node.outputs[0]);
  }
  part.outputs.insert(part.outputs.end(), seen.begin(), seen.end());
  Executor executor(net.graph, part);
  TrainingSimulation simulation(net.graph, net.placement, net.table, executor, {}, seen);
  Simulation plain(net.graph, net.placement, net.table);
  const at::Tensor input = net.input();
  const auto found = executor.run({&input, 1}, simulation);
  const auto wanted = executor.run({&input, 1}, plain);
  for (size_t i = 0; i < found.size(); ++i) {
    ASSERT_TRUE(found[i].defined());
    const float largest = wanted[i].abs().max().item<float>();
    EXPECT_LE((found[i] - wanted[i]).abs().mean().item<float>(), 0.02F * largest + 1e-6F) << i;
  }
}

// --- Rounding with gradients
// -----------------------------------------------------------------------

TEST(RoundingToGrids, AgreesWithATen) {
  const QuantParams params{.scale = {0.02F}, .zero_point = {-100}};
  at::Tensor a = to_torch(test::random_tensor({4, 8, 9, 9}, 3, -1.5F, 4)).requires_grad_(true);
  at::Tensor b = a.detach().clone().requires_grad_(true);
  const GridVariables variables{at::zeros({1}).requires_grad_(true),
                                at::zeros({1}).requires_grad_(true)};
  at::Tensor scale = at::full({1}, 0.02F).requires_grad_(true);
  at::Tensor zero = at::full({1}, 28.0F).requires_grad_(true);
  const at::Tensor weighing = to_torch(test::random_tensor({4, 8, 9, 9}, 4, -1, 1));
  const at::Tensor ours = fake_quantize(a, params, variables);
  const at::Tensor theirs = at::_fake_quantize_learnable_per_tensor_affine(b, scale, zero, 0, 255);
  EXPECT_LE((ours - theirs).abs().max().item<float>(), 0.0201F);
  (ours * weighing).sum().backward();
  (theirs * weighing).sum().backward();
  EXPECT_TRUE(a.grad().equal(b.grad()));
  // Ours is for the logarithm of the scale, and from residues in parts of 1/252.
  const float by_scale = scale.grad().item<float>() * 0.02F;
  EXPECT_NEAR(variables.log_scale.grad().item<float>(), by_scale,
              1e-3F * std::abs(by_scale) + 1e-2F);
  EXPECT_NEAR(variables.zero_point.grad().item<float>(), zero.grad().item<float>() * 255, 0.1F);
}

TEST(RoundingToGrids, RunsOnAllThreadsWithTheSameResult) {
  const int before = at::get_num_threads();
  const QuantParams params{.scale = {0.02F}, .zero_point = {-100}};
  const at::Tensor numbers = to_torch(test::random_tensor({9, kPart}, 3, -1.5F, 4));
  std::vector<at::Tensor> gradients;
  for (const int threads : {1, 3}) {
    at::set_num_threads(threads);
    std::mutex mutex;
    std::set<std::thread::id> seen;
    in_parts(numbers.numel(), [&](int64_t, size_t, size_t) {
      const std::lock_guard lock(mutex);
      seen.insert(std::this_thread::get_id());
    });
    EXPECT_EQ(std::ssize(seen), threads);
    const GridVariables variables{at::zeros({1}).requires_grad_(true), {}};
    (fake_quantize(numbers, params, variables) * numbers).sum().backward();
    gradients.push_back(variables.log_scale.grad());
  }
  at::set_num_threads(before);
  EXPECT_TRUE(gradients[0].equal(gradients[1]));
}

/// A gradient that two branches share must come through whole, whoever overwrites what.
TEST(RoundingToGrids, OverwritesNoGradientThatOthersRead) {
  const QuantParams params{.scale = {0.01F}, .zero_point = {0}};  // [-1.28, 1.27]
  for (const Into into : {Into::New, Into::Same}) {
    at::Tensor a = to_torch(Tensor::of<float>({4}, std::vector<float>{-2, -1, 1, 2}));
    at::Tensor b = a.clone();
    a.set_requires_grad(true);
    b.set_requires_grad(true);
    const GridVariables variables{at::zeros({1}).requires_grad_(true), {}};
    const at::Tensor rounded = fake_quantize(a * 1, params, variables, into);
    (rounded + b * 1).sum().backward();
    EXPECT_EQ(a.grad().sum().item<float>(), 2);
    EXPECT_EQ(b.grad().sum().item<float>(), 4);
  }
}

/// Where nobody else reads a gradient, the outgoing one takes its memory.
TEST(RoundingToGrids, OverwritesAGradientOfItsOwn) {
  const QuantParams params{.scale = {0.01F}, .zero_point = {0}};
  const at::Tensor leaf = at::randn({64, 64}).requires_grad_(true);
  const at::Tensor in = leaf * 2;
  const GridVariables variables{at::zeros({1}).requires_grad_(true), {}};
  const at::Tensor out = fake_quantize(in, params, variables);
  const void* before = nullptr;
  const void* after = nullptr;
  out.register_hook([&](const at::Tensor& gradient) { before = gradient.const_data_ptr(); });
  in.register_hook([&](const at::Tensor& gradient) { after = gradient.const_data_ptr(); });
  (out * at::randn({64, 64})).sum().backward();
  EXPECT_NE(before, nullptr);
  EXPECT_EQ(before, after);
}

TEST(RoundingToGrids, ChannelsLieAlongAnyAxis) {
  const Tensor data = test::random_tensor({6, 5}, 8, -1, 1);
  const std::vector<float> scales{0.01F, 0.003F, 0.02F, 0.007F, 0.005F};
  at::Tensor weight = to_torch(data).requires_grad_(true);
  at::Tensor turned = to_torch(data).t().contiguous().requires_grad_(true);
  ChannelGrids grids{
      .scales = scales, .log_scales = at::zeros({5}).requires_grad_(true), .axis = 1};
  ChannelGrids rows = grids;
  rows.axis = 0;
  rows.log_scales = at::zeros({5}).requires_grad_(true);
  const at::Tensor a = fake_quantize_channels(weight, grids);
  const at::Tensor b = fake_quantize_channels(turned, rows);
  EXPECT_TRUE(a.equal(b.t()));
  const at::Tensor weighing = to_torch(test::random_tensor({6, 5}, 9, -1, 1));
  (a * weighing).sum().backward();
  (b * weighing.t()).sum().backward();
  EXPECT_TRUE(weight.grad().equal(turned.grad().t()));
  EXPECT_TRUE(grids.log_scales.grad().allclose(rows.log_scales.grad()));
  EXPECT_GT(grids.log_scales.grad().abs().max().item<float>(), 0);
}

TEST(RoundingToGrids, AScaleThatIsHeldGetsNoGradient) {
  at::Tensor weight = to_torch(test::random_tensor({2, 6}, 8, -1, 1)).requires_grad_(true);
  const ChannelGrids grids{.scales = {0.001F, 0.001F},
                           .log_scales = at::zeros({2}).requires_grad_(true),
                           .held = {1, 0}};
  (fake_quantize_channels(weight, grids) * weight.detach()).sum().backward();
  EXPECT_EQ(grids.log_scales.grad()[0].item<float>(), 0);
  EXPECT_NE(grids.log_scales.grad()[1].item<float>(), 0);
}

}  // namespace
}  // namespace octet
