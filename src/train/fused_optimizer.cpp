#include "train/fused_optimizer.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <utility>

namespace octet {
namespace {

constexpr double kSecondBeta = 0.999;
constexpr double kEpsilon = 1e-8;

/// In the order of the parameter in memory, which is how the kernels walk through both.
at::Tensor laid_out_as(const at::Tensor& gradient, const at::Tensor& parameter) {
  if (gradient.strides() == parameter.strides()) return gradient;
  return at::empty_like(parameter).copy_(gradient);
}

}  // namespace

FusedOptimizer::FusedOptimizer(Optimizer kind, std::vector<ParameterGroup> groups)
    : kind_(kind), groups_(std::move(groups)) {
  const at::NoGradGuard no_grad;
  for (const ParameterGroup& group : groups_) {
    for (const auto& [name, parameter] : group.parameters) {
      const auto remember = [&](const char* what) {
        state_.emplace(name + what, at::zeros_like(parameter.detach()));
      };
      if (kind_ == Optimizer::Sgd) {
        remember("/momentum");
      } else {
        remember("/first");
        remember("/second");
      }
    }
  }
  if (kind_ != Optimizer::Sgd) state_.emplace("steps", at::zeros({}, at::kFloat));
}

void FusedOptimizer::zero_grad() {
  for (const ParameterGroup& group : groups_) {
    for (const auto& [name, parameter] : group.parameters) parameter.mutable_grad().reset();
  }
}

template <class Visit>
void FusedOptimizer::each_gradient(Visit visit) const {
  const at::NoGradGuard no_grad;
  for (const ParameterGroup& group : groups_) {
    for (const auto& [name, parameter] : group.parameters) {
      if (parameter.grad().defined()) visit(parameter.grad());
    }
  }
}

double FusedOptimizer::gradient_norm() const {
  double sum = 0;
  each_gradient([&](const at::Tensor& gradient) {
    const double norm = at::linalg_vector_norm(gradient).item<double>();
    sum += norm * norm;
  });
  return std::sqrt(sum);
}

void FusedOptimizer::scale_gradients(double factor) {
  each_gradient([&](const at::Tensor& gradient) { gradient.mul_(factor); });
}

void FusedOptimizer::step(const Pace& pace) {
  const at::NoGradGuard no_grad;
  if (kind_ != Optimizer::Sgd) state_.at("steps").add_(1);
  for (const ParameterGroup& group : groups_) step_group(group, pace);
}

void FusedOptimizer::step_group(const ParameterGroup& group, const Pace& pace) {
  std::vector<at::Tensor> parameters;
  std::vector<at::Tensor> gradients;
  std::vector<at::Tensor> first;
  std::vector<at::Tensor> second;
  const bool sgd = kind_ == Optimizer::Sgd;
  for (const auto& [name, parameter] : group.parameters) {
    if (!parameter.grad().defined()) continue;
    parameters.push_back(parameter);
    gradients.push_back(laid_out_as(parameter.grad(), parameter));
    if (!sgd) {
      first.push_back(state_.at(name + "/first"));
      second.push_back(state_.at(name + "/second"));
    } else if (pace.momentum > 0) {
      first.push_back(state_.at(name + "/momentum"));
    }
  }
  if (parameters.empty()) return;
  const double rate = pace.rate * group.factor;
  if (sgd) {
    at::_fused_sgd_(parameters, gradients, first, group.decay, pace.momentum, rate,
                    /*dampening=*/0, /*nesterov=*/false, /*maximize=*/false,
                    /*is_first_step=*/false);
    return;
  }
  const std::vector<at::Tensor> steps(parameters.size(), state_.at("steps"));
  if (kind_ == Optimizer::Adam) {
    at::_fused_adam_(parameters, gradients, first, second, {}, steps, rate, pace.momentum,
                     kSecondBeta, group.decay, kEpsilon, /*amsgrad=*/false, /*maximize=*/false);
  } else {
    at::_fused_adamw_(parameters, gradients, first, second, {}, steps, rate, pace.momentum,
                      kSecondBeta, group.decay, kEpsilon, /*amsgrad=*/false, /*maximize=*/false);
  }
}

}  // namespace octet
