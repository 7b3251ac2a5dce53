#include "quant/simulate.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "networks/architectures.h"
#include "passes/passes.h"
#include "quant/calibrate.h"
#include "quant/solve.h"
#include "quant/training_simulation.h"
#include "support/calibrated_network.h"

namespace octet {
namespace {

/// Looks at each rounded value on its way.
class GridCheck final : public Simulation {
 public:
  GridCheck(const Graph& graph, const Placement& placement, const QuantTable& table)
      : Simulation(graph, placement, table), graph_(graph), table_(table) {}
  at::Tensor activation(ValueId id, const at::Tensor& tensor) override {
    const at::Tensor out = Simulation::activation(id, tensor);
    const QuantParams* params = table_.find(id);
    if (!params) return out;
    ++checked;
    const Tensor seen = from_torch(out);
    const Tensor again = dequantize(quantize(seen, *params), *params);
    for (size_t i = 0; i < seen.as<float>().size(); ++i) {
      const float distance = std::abs(seen.as<float>()[i] - again.as<float>()[i]);
      if (distance > 1e-3F * params->scale[0]) {
        ADD_FAILURE() << graph_.value(id).name << " is off its grid by "
                      << distance / params->scale[0] << " steps";
        break;
      }
    }
    return out;
  }
  int checked = 0;

 private:
  const Graph& graph_;
  const QuantTable& table_;
};

TEST(Simulation, EveryValueLiesOnItsGrid) {
  const test::CalibratedNetwork net("resnet20");
  const at::NoGradGuard no_grad;
  Executor executor(net.graph);
  GridCheck check(net.graph, net.placement, net.table);
  const at::Tensor input = net.input();
  executor.run({&input, 1}, check);
  EXPECT_GT(check.checked, 30);
}

class SimulationOf : public ::testing::TestWithParam<Scheme> {};

TEST_P(SimulationOf, TrainingSeesTheNumbersThatTheFilesHold) {
  const test::CalibratedNetwork net("resnet20", GetParam());
  const at::NoGradGuard no_grad;
  Executor executor(net.graph);
  Simulation deployed(net.graph, net.placement, net.table);
  TrainingSimulation training(net.graph, net.placement, net.table, executor);
  const at::Tensor input = net.input();
  const at::Tensor a = executor.run({&input, 1}, deployed).at(0);
  const at::Tensor b = executor.run({&input, 1}, training).at(0);
  const float step = net.table.find(net.graph.outputs()[0])->scale[0];
  // The two round weights by division and by multiplication with the inverse.
  EXPECT_LE((a - b).abs().max().item<float>(), step * 1.01F);
}

INSTANTIATE_TEST_SUITE_P(Schemes, SimulationOf,
                         ::testing::Values(Scheme{}, Scheme{.weights = Scheme::Weights::PerTensor},
                                           Scheme{.activations = Scheme::Activations::Symmetric}));

TEST(Simulation, GradientsPassWhereNothingIsClipped) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {-1, 4});
  graph.add_output(graph.add_op("Identity", "y", {x}));
  infer_shapes(graph);
  Placement placement;
  placement.groups.push_back({{x}, FromData{-1, 1}});
  placement.group_of[x] = 0;
  QuantTable table;
  table.set(x, {.scale = {0.01F}, .zero_point = {0}});  // [-1.28, 1.27]
  Executor executor(graph);
  TrainingSimulation simulation(graph, placement, table, executor);
  at::Tensor input = to_torch(Tensor::of<float>({1, 4}, std::vector<float>{-2, -1, 0.005F, 2}));
  input.set_requires_grad(true);
  executor.run({&input, 1}, simulation).at(0).sum().backward();
  const Tensor gradient = from_torch(input.grad());
  EXPECT_EQ(std::vector(gradient.as<float>().begin(), gradient.as<float>().end()),
            (std::vector<float>{0, 1, 1, 0}));
}

}  // namespace
}  // namespace octet
