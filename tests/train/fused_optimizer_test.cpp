#include "train/fused_optimizer.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <functional>

namespace octet {
namespace {

/// Channels-last, so that a gradient in another layout would be found out.
at::Tensor drawn_weight(int seed) {
  at::manual_seed(seed);
  return at::randn({4, 3, 5, 5}).contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor drawn_gradient(int step) {
  at::manual_seed(100 + step);
  return at::randn({4, 3, 5, 5});
}

struct Twin {
  Optimizer kind;
  std::function<std::unique_ptr<torch::optim::Optimizer>(std::vector<at::Tensor>)> make;
};

TEST(FusedOptimizer, StepsAsLibTorchsDo) {
  const Twin twins[] = {
      {Optimizer::Sgd,
       [](auto parameters) {
         return std::make_unique<torch::optim::SGD>(
             parameters, torch::optim::SGDOptions(0.1).momentum(0.8).weight_decay(0.01));
       }},
      {Optimizer::Adam,
       [](auto parameters) {
         return std::make_unique<torch::optim::Adam>(
             parameters, torch::optim::AdamOptions(0.1).betas({0.8, 0.999}).weight_decay(0.01));
       }},
      {Optimizer::AdamW,
       [](auto parameters) {
         return std::make_unique<torch::optim::AdamW>(
             parameters, torch::optim::AdamWOptions(0.1).betas({0.8, 0.999}).weight_decay(0.01));
       }},
  };
  for (const Twin& twin : twins) {
    at::Tensor ours = drawn_weight(1).set_requires_grad(true);
    at::Tensor theirs = drawn_weight(1).set_requires_grad(true);
    FusedOptimizer optimizer(twin.kind, {{.parameters = {{"w", ours}}, .decay = 0.01}});
    const auto reference = twin.make({theirs});
    for (int step = 0; step < 5; ++step) {
      ours.mutable_grad() = drawn_gradient(step);
      theirs.mutable_grad() = drawn_gradient(step);
      optimizer.step({.rate = 0.1, .momentum = 0.8});
      reference->step();
      EXPECT_TRUE(at::allclose(ours, theirs, 1e-4, 1e-5)) << static_cast<int>(twin.kind);
    }
  }
}

TEST(FusedOptimizer, LeavesWhatHasNoGradient) {
  for (const Optimizer kind : {Optimizer::Sgd, Optimizer::Adam, Optimizer::AdamW}) {
    at::Tensor moved = drawn_weight(1).set_requires_grad(true);
    at::Tensor still = drawn_weight(2).set_requires_grad(true);
    FusedOptimizer optimizer(kind,
                             {{.parameters = {{"moved", moved}, {"still", still}}, .decay = 0.1}});
    moved.mutable_grad() = drawn_gradient(1);
    optimizer.step({.rate = 0.1, .momentum = 0});
    EXPECT_TRUE(still.equal(drawn_weight(2)));
    EXPECT_FALSE(moved.equal(drawn_weight(1)));
    optimizer.zero_grad();
    EXPECT_FALSE(moved.grad().defined());
  }
}

TEST(FusedOptimizer, MeasuresAndScalesGradients) {
  at::Tensor a = drawn_weight(1).set_requires_grad(true);
  at::Tensor b = drawn_weight(2).set_requires_grad(true);
  FusedOptimizer optimizer(Optimizer::Sgd,
                           {{.parameters = {{"a", a}}}, {.parameters = {{"b", b}}}});
  a.mutable_grad() = at::full({4, 3, 5, 5}, 3.0F / std::sqrt(300.0F));
  b.mutable_grad() = at::full({4, 3, 5, 5}, 4.0F / std::sqrt(300.0F));
  EXPECT_NEAR(optimizer.gradient_norm(), 5, 1e-5);
  optimizer.scale_gradients(0.5);
  EXPECT_NEAR(optimizer.gradient_norm(), 2.5, 1e-5);
}

TEST(FusedOptimizer, GivesGroupsTheirOwnRate) {
  at::Tensor a = drawn_weight(1).set_requires_grad(true);
  at::Tensor b = drawn_weight(1).set_requires_grad(true);
  FusedOptimizer optimizer(Optimizer::Sgd,
                           {{.parameters = {{"a", a}}}, {.parameters = {{"b", b}}, .factor = 3}});
  a.mutable_grad() = drawn_gradient(1);
  b.mutable_grad() = drawn_gradient(1);
  optimizer.step({.rate = 0.1, .momentum = 0.9});
  EXPECT_TRUE(at::allclose((b - drawn_weight(1)), (a - drawn_weight(1)) * 3, 1e-4, 1e-5));
}

}  // namespace
}  // namespace octet
