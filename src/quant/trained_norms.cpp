#include "quant/trained_norms.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/var_mean.h>
#include <ATen/ops/zeros.h>

#include <utility>

namespace octet {
namespace {

constexpr double kNormEpsilon = 1e-5;
constexpr double kMomentum = 0.1;  // the batch's share in running statistics
constexpr double kLeastFactor = 1e-6;

std::vector<int64_t> along(const at::Tensor& tensor, int64_t axis) {
  std::vector<int64_t> shape(static_cast<size_t>(tensor.dim()), 1);
  shape[static_cast<size_t>(axis)] = -1;
  return shape;
}

std::pair<at::Tensor, at::Tensor> statistics_of(const at::Tensor& made) {
  std::vector<int64_t> others;
  for (int64_t d = 0; d < made.dim(); ++d) {
    if (d != 1) others.push_back(d);
  }
  const auto [variance, mean] = at::var_mean(made, others, at::Scalar(0), false);
  return {mean, variance};
}

}  // namespace

std::vector<FoldedNorm> folded_norms(const Graph& graph) {
  std::vector<FoldedNorm> norms;
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    const auto* rule = std::get_if<Weighted>(&op_of(node).quant.value);
    if (!rule) continue;
    const ValueId bias = node.input(rule->bias);
    const ValueId weight = node.input(rule->weight);
    if (!graph.is_constant(bias) || !graph.value(bias).normalizes) continue;
    const Shape& shape = graph.value(weight).constant->shape;
    const int axis = rule->axis(node, shape.size());
    const int64_t channels = graph.value(bias).constant->size();
    if (axis < 0 || shape[static_cast<size_t>(axis)] != channels) continue;
    norms.push_back({.weight = weight, .bias = bias, .axis = axis, .channels = channels});
  }
  return norms;
}

TrainedNorms::TrainedNorms(const Graph& graph, const Executor& executor)
    : graph_(graph), executor_(executor) {
  for (const auto& [weight, bias, axis, channels] : folded_norms(graph)) {
    norms_.emplace(weight, Norm{.weight = weight,
                                .bias = bias,
                                .axis = axis,
                                .factor = at::ones({channels}).set_requires_grad(true),
                                .mean = at::zeros({channels}),
                                .variance = at::ones({channels})});
    weights_.emplace(bias, weight);
  }
}

void TrainedNorms::look(Look kind, const std::function<void()>& run) {
  const at::NoGradGuard no_grad;
  for (auto& [id, norm] : norms_) {
    norm.mean_sum = at::zeros_like(norm.mean);
    norm.variance_sum = at::zeros_like(norm.mean);
    norm.looks = 0;
  }
  look_ = kind;
  run();
  look_ = Look::None;
  for (auto& [id, norm] : norms_) {
    if (norm.looks == 0) continue;
    const auto looks = static_cast<double>(norm.looks);
    norm.mean.copy_(norm.mean_sum / looks);
    norm.variance.copy_(norm.variance_sum / looks);
  }
}

void TrainedNorms::begin(const std::function<void()>& run) {
  begun_ = true;
  if (!run) return;
  look(Look::First, run);
  const at::NoGradGuard no_grad;
  for (auto& [id, norm] : norms_) {
    const at::Tensor& bias = executor_.constant(norm.bias);
    const at::Tensor made = norm.mean.clone();
    norm.mean.sub_(bias);
    bias.copy_(made);
    norm.factor.copy_((norm.variance + kNormEpsilon).sqrt());
  }
}

void TrainedNorms::estimate(const std::function<void()>& run) {
  if (!frozen_ && begun_) look(Look::Again, run);
}

void TrainedNorms::keep_inside() {
  const at::NoGradGuard no_grad;
  for (auto& [id, norm] : norms_) norm.factor.clamp_min_(kLeastFactor);
}

/// Training's own runs are those with gradients.
bool TrainedNorms::by_batch() const {
  return look_ == Look::Again || (begun_ && !frozen_ && at::GradMode::is_enabled());
}

at::Tensor TrainedNorms::folding(const Norm& norm) const {
  const at::Tensor deviation = (norm.variance + kNormEpsilon).sqrt();
  // What the batch normalizes loses the factor of its weight again.
  return (by_batch() ? norm.factor.detach() : norm.factor) / deviation;
}

at::Tensor TrainedNorms::folded_weight(const Norm& norm) const {
  const at::Tensor& weight = executor_.constant(norm.weight);
  return weight * folding(norm).view(along(weight, norm.axis));
}

at::Tensor TrainedNorms::folded_bias(const Norm& norm) const {
  return executor_.constant(norm.bias) - norm.mean * folding(norm);
}

at::Tensor TrainedNorms::folded(ValueId id, const at::Tensor& tensor) const {
  if (!folds()) return tensor;
  if (const auto norm = norms_.find(id); norm != norms_.end()) return folded_weight(norm->second);
  if (!weights_.contains(id)) return tensor;
  return by_batch() ? at::Tensor() : deployed(id);
}

at::Tensor TrainedNorms::deployed(ValueId bias) const {
  const auto weight = weights_.find(bias);
  if (!folds() || weight == weights_.end()) return executor_.constant(bias);
  return folded_bias(norms_.at(weight->second));
}

void TrainedNorms::unfold(ValueId weight, ChannelScales& steps) const {
  const at::NoGradGuard no_grad;
  const auto norm = norms_.find(weight);
  if (norm == norms_.end() || !folds()) return;
  const at::Tensor factors = folding(norm->second);
  std::vector<float> unfolded(static_cast<size_t>(factors.numel()));
  for (size_t c = 0; c < unfolded.size(); ++c) {
    unfolded[c] =
        steps.scales[steps.scales.size() == 1 ? 0 : c] / factors.const_data_ptr<float>()[c];
  }
  steps = {.scales = std::move(unfolded), .axis = norm->second.axis};
}

void TrainedNorms::note(Norm& norm, const at::Tensor& mean, const at::Tensor& variance) {
  norm.mean_sum.add_(mean);
  norm.variance_sum.add_(variance);
  ++norm.looks;
}

at::Tensor TrainedNorms::normalize(ValueId weight, const at::Tensor& made) {
  const auto found = norms_.find(weight);
  if (found == norms_.end()) return made;
  Norm& norm = found->second;
  if (look_ == Look::First) {
    const auto [mean, variance] = statistics_of(made);
    note(norm, mean, variance);
    return made;
  }
  if (!by_batch()) return made;
  const at::Tensor made_mean = at::zeros_like(norm.mean);
  const at::Tensor made_variance = at::zeros_like(norm.mean);
  at::Tensor out = at::batch_norm(made.to(at::kFloat), norm.factor, executor_.constant(norm.bias),
                                  made_mean, made_variance, true, 1.0, kNormEpsilon, false);
  const at::NoGradGuard no_grad;
  const at::Tensor factor = folding(norm);
  const at::Tensor mean = made_mean / factor;
  const at::Tensor variance = made_variance / factor.square();
  if (look_ == Look::Again) {
    note(norm, mean, variance);
  } else {
    norm.mean.lerp_(mean, kMomentum);
    norm.variance.lerp_(variance, kMomentum);
  }
  return out;
}

std::map<std::string, at::Tensor> TrainedNorms::variables() const {
  std::map<std::string, at::Tensor> all;
  for (const auto& [id, norm] : norms_) all.emplace(graph_.value(id).name + "/norm", norm.factor);
  return all;
}

std::map<std::string, at::Tensor> TrainedNorms::statistics() const {
  std::map<std::string, at::Tensor> all;
  for (const auto& [id, norm] : norms_) {
    const std::string& name = graph_.value(id).name;
    all.emplace(name + "/mean", norm.mean);
    all.emplace(name + "/variance", norm.variance);
  }
  return all;
}

void TrainedNorms::fold(Graph& graph) const {
  const at::NoGradGuard no_grad;
  if (!begun_) return;
  for (const auto& [id, norm] : norms_) {
    graph.value(norm.weight).constant = from_torch(folded_weight(norm));
    graph.value(norm.bias).constant = from_torch(folded_bias(norm));
  }
}

}  // namespace octet
