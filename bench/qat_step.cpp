#include "qat_step.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <utility>

#include "formats/onnx/onnx_file.h"
#include "passes/passes.h"
#include "quant/calibrate.h"
#include "quant/solve.h"

namespace octet::bench {
namespace {

constexpr double kMomentum = 0.9;
constexpr int64_t kCalibratedAtOnce = 16;

Ranges ranges_on(const Graph& graph, const Placement& placement, const at::Tensor& images) {
  int64_t taken = 0;
  const auto next = [&](std::vector<float>& out) -> int64_t {
    const int64_t count = std::min(kCalibratedAtOnce, images.size(0) - taken);
    const at::Tensor some = images.narrow(0, taken, count).contiguous();
    out.assign(some.const_data_ptr<float>(), some.const_data_ptr<float>() + some.numel());
    taken += count;
    return count;
  };
  return calibrate(graph, placement, next, {.observer = "minmax"});
}

}  // namespace

Training::Training(const QatNetwork& network, Kind kind, double rate)
    : graph_(read_onnx(network.model)), labels_(read_labels(network)), rate_(rate) {
  const at::Tensor images = read_images(network);
  simplify(graph_);
  if (kind == Kind::Quantized) quantize(images);
  images_ = images.contiguous(at::MemoryFormat::ChannelsLast);
  executor_ = std::make_unique<Executor>(graph_);
  if (kind == Kind::Quantized) {
    auto simulation = std::make_unique<TrainingSimulation>(graph_, placement_, table_, *executor_);
    for (const auto& [name, variable] : simulation->variables()) grids_.push_back(variable);
    simulation_ = simulation.get();
    interpretation_ = std::move(simulation);
  } else {
    interpretation_ = std::make_unique<Interpretation>();
  }
  for (auto [id, parameter] : executor_->parameters()) {
    variables_.push_back(parameter.set_requires_grad(true));
    momenta_.push_back(at::zeros_like(parameter));
  }
  for (const at::Tensor& grid : grids_) {
    first_moments_.push_back(at::zeros_like(grid));
    second_moments_.push_back(at::zeros_like(grid));
    steps_.push_back(at::zeros({}));
  }
}

void Training::quantize(const at::Tensor& images) {
  const std::vector<std::string> names{"onnxruntime-cpu", "tflite"};
  const TargetSet targets(names);
  lower(graph_, [&](std::string_view op) { return targets.supports(op); });
  placement_ = place(graph_, targets);
  table_ = solve(graph_, placement_, ranges_on(graph_, placement_, images));
}

at::Tensor Training::forward() {
  const at::Tensor logits = executor_->run({&images_, 1}, *interpretation_, true).at(0);
  return at::cross_entropy_loss(logits, labels_);
}

double Training::loss() {
  const at::NoGradGuard no_grad;
  return forward().item<double>();
}

void Training::move_grids() {
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& grid : grids_) {
    const bool read = grid.grad().defined();
    gradients.push_back(read ? grid.grad() : at::zeros_like(grid));
    grid.mutable_grad().reset();
  }
  at::_fused_adam_(grids_, gradients, first_moments_, second_moments_, {}, steps_, rate_, kMomentum,
                   0.999, 0, 1e-8, false, false);
  simulation_->after_step();
}

double Training::step() {
  const at::Tensor loss = forward();
  loss.backward();
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> moved;
  std::vector<at::Tensor> gradients;
  std::vector<at::Tensor> momenta;
  for (size_t i = 0; i < variables_.size(); ++i) {
    if (!variables_[i].grad().defined()) continue;  // what the network computes does not read it
    moved.push_back(variables_[i]);
    gradients.push_back(variables_[i].grad());
    momenta.push_back(momenta_[i]);
    variables_[i].mutable_grad().reset();
  }
  at::_fused_sgd_(moved, gradients, momenta, 0, kMomentum, rate_, 0, false, false,
                  std::exchange(first_, false));
  if (simulation_) move_grids();
  return loss.item<double>();
}

}  // namespace octet::bench
