// Training needs the gradient of every operator: autograd's against differences, in double.

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "ops/examples.h"

namespace octet {
namespace {

using test::op_examples;
using test::OpExample;

constexpr double kStep = 1e-6;
constexpr double kGradientTolerance = 1e-6;

/// Whether training may want the gradient by input `index`: data, weights and biases, but no
/// bounds, shapes or running statistics.
bool has_gradient(const OpDef& op, size_t index) {
  if (index < op.data_inputs.value) return true;
  if (const auto* weighted = std::get_if<Weighted>(&op.quant.value)) {
    return index == weighted->weight || index == weighted->bias;
  }
  const auto& statistics = op.statistics.value;
  return !statistics.empty() && !std::ranges::contains(statistics, index);
}

/// The example in double precision, with a random weight for every output.
class Scalarized {
 public:
  Scalarized(const OpExample& example, bool training)
      : graph_(graph_of(example)),
        node_(graph_.node(graph_.order()[0])),
        op_(op_of(node_)),
        training_(training) {
    for (const auto& [kind, tensor] : example.inputs) {
      at::Tensor input;
      if (kind != test::Operand::Kind::Absent) input = to_torch(tensor);
      if (input.defined() && input.is_floating_point()) input = input.to(at::kDouble);
      inputs_.push_back(input);
    }
    unsigned seed = 99;
    for (const at::Tensor& output : run()) {
      weights_.push_back(to_torch(test::random_tensor(output.sizes().vec(), seed++)));
    }
  }

  const OpDef& op() const { return op_; }
  std::vector<at::Tensor>& inputs() { return inputs_; }
  at::Tensor loss() {
    at::Tensor total = at::zeros({}, at::kDouble);
    const std::vector<at::Tensor> outputs = run();
    for (size_t i = 0; i < outputs.size(); ++i) {
      // Neither indices nor statistics that the operator rounds to floats.
      if (outputs[i].scalar_type() != at::kDouble) continue;
      total = total + (outputs[i] * weights_[i]).sum();
    }
    return total;
  }

 private:
  std::vector<at::Tensor> run() {
    std::vector<at::Tensor> arguments = inputs_;
    // Running statistics are updated in place: every run starts from the given ones.
    for (const size_t index : op_.statistics.value) arguments[index] = inputs_[index].clone();
    std::vector<at::Tensor> outputs = op_.run.value(OpCall{node_, arguments, training_});
    outputs.resize(std::min(outputs.size(), node_.outputs.size()));
    return outputs;
  }

  Graph graph_;
  const Node& node_;
  const OpDef& op_;
  bool training_;
  std::vector<at::Tensor> inputs_;
  std::vector<at::Tensor> weights_;
};

at::Tensor differences(Scalarized& function, size_t index) {
  const at::NoGradGuard no_grad;
  const at::Tensor input = function.inputs()[index].detach().clone();
  function.inputs()[index] = input;
  const at::Tensor flat = input.view(-1);
  at::Tensor slopes = at::zeros_like(flat);
  double* const numbers = flat.data_ptr<double>();
  for (int64_t i = 0; i < flat.numel(); ++i) {
    const double at = numbers[i];
    numbers[i] = at + kStep;
    const double above = function.loss().item<double>();
    numbers[i] = at - kStep;
    const double below = function.loss().item<double>();
    numbers[i] = at;
    slopes[i] = (above - below) / (2 * kStep);
  }
  return slopes.view(input.sizes());
}

/// The inputs whose gradient training may want; they are asked for it.
std::vector<size_t> differentiated(Scalarized& function) {
  std::vector<size_t> wanted;
  for (size_t i = 0; i < function.inputs().size(); ++i) {
    at::Tensor& input = function.inputs()[i];
    if (!input.defined() || !input.is_floating_point()) continue;
    if (!has_gradient(function.op(), i)) continue;
    input.requires_grad_(true);
    wanted.push_back(i);
  }
  return wanted;
}

/// Largest difference over largest slope, of all inputs that have gradients; counts them.
double gradient_error(const OpExample& example, bool training, int& compared) {
  if (!example.smooth) return 0;
  Scalarized function(example, training);
  const std::vector<size_t> wanted = differentiated(function);
  if (wanted.empty()) return 0;
  // What is constant between its steps may lack a gradient: then no slope may be found. What stays
  // in float because it computes shapes and the like (Range) is no part of training.
  const at::Tensor loss = function.loss();
  const bool held = std::holds_alternative<FloatOnly>(function.op().quant.value);
  if (held && !loss.requires_grad()) return 0;
  if (loss.requires_grad()) loss.backward();
  std::vector<at::Tensor> gradients;
  for (const size_t i : wanted) gradients.push_back(function.inputs()[i].grad());
  double worst = 0;
  for (size_t k = 0; k < wanted.size(); ++k) {
    const at::Tensor slopes = differences(function, wanted[k]);
    if (slopes.numel() == 0) continue;
    if (loss.requires_grad() && !gradients[k].defined()) {
      ADD_FAILURE() << "no gradient by input " << wanted[k];
      continue;
    }
    const at::Tensor given = gradients[k].defined() ? gradients[k] : at::zeros_like(slopes);
    const double largest = std::max(slopes.abs().max().item<double>(), 1e-3);
    worst = std::max(worst, (slopes - given).abs().max().item<double>() / largest);
    if (loss.requires_grad()) ++compared;
  }
  return worst;
}

TEST(OpGradient, IsTheSlope) {
  double worst = 0;
  int compared = 0;
  for (const OpExample& example : op_examples()) {
    SCOPED_TRACE(example.title());
    try {
      const double error = gradient_error(example, false, compared);
      EXPECT_LE(error, kGradientTolerance);
      worst = std::max(worst, error);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
  RecordProperty("gradients", compared);
  RecordProperty("largest_relative_error", std::format("{:.2e}", worst));
  EXPECT_GE(compared, static_cast<int>(op_examples().size()) - 10);
}

TEST(OpGradient, IsTheSlopeWithTheStatisticsOfTheBatch) {
  int compared = 0;
  for (const OpExample& example : op_examples()) {
    if (find_op(example.op)->statistics.value.empty()) continue;
    SCOPED_TRACE(example.title());
    EXPECT_LE(gradient_error(example, true, compared), kGradientTolerance);
  }
  EXPECT_GT(compared, 0);
}

TEST(OpGradient, TrainingMovesRunningStatisticsByTheMomentum) {
  const OpExample example{
      "BatchNormalization",
      "",
      {test::x({4, 2}), test::c({2}), test::c({2}), test::c({2}), test::c({2}, 1, 2)},
      {{"momentum", 0.75F}}};
  const Graph graph = graph_of(example);
  const Node& node = graph.node(graph.order()[0]);
  std::vector<at::Tensor> inputs;
  for (const auto& operand : example.inputs) inputs.push_back(to_torch(operand.tensor));
  const at::Tensor mean = inputs[3].clone();
  const at::Tensor variance = inputs[4].clone();
  op_of(node).run.value(OpCall{node, inputs, true});
  const at::Tensor wanted_mean = mean * 0.75 + inputs[0].mean(0) * 0.25;
  const at::Tensor wanted_variance = variance * 0.75 + inputs[0].var(0, true) * 0.25;
  EXPECT_LE((inputs[3] - wanted_mean).abs().max().item<float>(), 1e-6F);
  EXPECT_LE((inputs[4] - wanted_variance).abs().max().item<float>(), 1e-6F);
}

TEST(OpGradient, DropoutDropsOnlyInTraining) {
  const OpExample example{"Dropout", "", {test::x({1, 1000}, 1, 2), test::scalar(0.25F)}};
  const Graph graph = graph_of(example);
  const Node& node = graph.node(graph.order()[0]);
  const std::vector<at::Tensor> inputs{to_torch(example.inputs[0].tensor),
                                       to_torch(example.inputs[1].tensor)};
  const auto kept = [&](bool training) {
    return op_of(node).run.value(OpCall{node, inputs, training})[0].count_nonzero().item<int64_t>();
  };
  EXPECT_EQ(kept(false), 1000);
  EXPECT_NEAR(static_cast<double>(kept(true)), 750, 100);  // seven standard deviations
}

}  // namespace
}  // namespace octet
