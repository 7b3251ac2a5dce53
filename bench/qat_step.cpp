#include "qat_step.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>

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

std::vector<ParameterGroup> groups_of(NamedTensors parameters) {
  return {ParameterGroup{.parameters = std::move(parameters)}};
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
    grids_.emplace(Optimizer::Adam, groups_of(simulation->variables()));
    simulation_ = simulation.get();
    interpretation_ = std::move(simulation);
  } else {
    interpretation_ = std::make_unique<Interpretation>();
  }
  NamedTensors weights;
  for (auto [id, parameter] : executor_->parameters()) {
    weights.emplace(graph_.value(id).name, parameter.set_requires_grad(true));
  }
  weights_.emplace(Optimizer::Sgd, groups_of(std::move(weights)));
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

double Training::step() {
  const at::Tensor loss = forward();
  loss.backward();
  const Pace pace{.rate = rate_, .momentum = kMomentum};
  weights_->step(pace);
  weights_->zero_grad();
  if (simulation_) {
    grids_->step(pace);
    grids_->zero_grad();
    simulation_->after_step();
  }
  return loss.item<double>();
}

}  // namespace octet::bench
