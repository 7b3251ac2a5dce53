#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/var_mean.h>

#include "base/fail.h"
#include "ops/families.h"

namespace octet {
namespace {

double epsilon_of(const Node& node) { return node.number("epsilon", 1e-5F); }

/// Every dimension but the channels.
std::vector<int64_t> all_but_channels(const at::Tensor& x) {
  std::vector<int64_t> dims;
  for (int64_t d = 0; d < x.dim(); ++d) {
    if (d != 1) dims.push_back(d);
  }
  return dims;
}

/// The parameter in a type that ATen takes together with the data: the same one, or floats beside
/// half precision.
at::Tensor beside(const at::Tensor& parameter, const at::Tensor& x) {
  const bool half = x.scalar_type() == at::kHalf || x.scalar_type() == at::kBFloat16;
  return half && parameter.scalar_type() == at::kFloat ? parameter : parameter.to(x.scalar_type());
}

/// Normalized by the batch, and the running statistics as they are after it: their variance is
/// that of the population, not the estimate that PyTorch takes.
std::vector<at::Tensor> run_batch_training(const OpCall& call, double epsilon) {
  const at::Tensor& x = call.in(0);
  const double kept = call.node.number("momentum", 0.9F);
  const at::Tensor y = at::batch_norm(x, beside(call.in(1), x), beside(call.in(2), x), {}, {}, true,
                                      0, epsilon, false);
  const at::Tensor& old_mean = call.in(3);
  const at::Tensor& old_variance = call.in(4);
  const auto [variance, mean] =
      at::var_mean(x.to(old_mean.scalar_type()), all_but_channels(x), at::Scalar(0), false);
  return {y, old_mean * kept + mean * (1 - kept), old_variance * kept + variance * (1 - kept)};
}

std::vector<at::Tensor> run_batch_normalization(const OpCall& call) {
  const double epsilon = epsilon_of(call.node);
  if (call.node.integer("training_mode", 0) != 0) return run_batch_training(call, epsilon);
  const at::Tensor& x = call.in(0);
  // ONNX keeps `momentum` of the old statistics; ATen takes the share of the new ones.
  const double momentum = 1.0 - static_cast<double>(call.node.number("momentum", 0.9F));
  return {at::batch_norm(x, beside(call.in(1), x), beside(call.in(2), x), beside(call.in(3), x),
                         beside(call.in(4), x), call.training, momentum, epsilon, false)};
}

std::vector<at::Tensor> run_instance_normalization(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  return {at::group_norm(x, x.size(1), call.in(1), call.in(2), epsilon_of(call.node))};
}

/// Scale and bias have a number per channel, or (until opset 20) one per group.
std::vector<at::Tensor> run_group_normalization(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const int64_t groups = call.node.integer("num_groups", 1);
  const int64_t channels = x.size(1);
  if (groups < 1 || channels % groups != 0) {
    fail(Code::Model, "{}: num_groups is {}, which does not divide {} channels",
         describe(call.node), groups, channels);
  }
  const auto per_channel = [&](const at::Tensor& given) {
    const bool per_group = given.numel() == groups && groups != channels;
    return per_group ? given.repeat_interleave(channels / groups) : given;
  };
  return {at::group_norm(x, groups, per_channel(call.in(1)), per_channel(call.in(2)),
                         epsilon_of(call.node))};
}

std::vector<at::Tensor> run_lp_normalization(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  // A row of zeros is not a number, as ONNX's own test has it (ONNX Runtime: zeros).
  return {x / at::linalg_vector_norm(x, call.node.integer("p", 2), call.node.integer("axis", -1),
                                     true)};
}

std::vector<at::Tensor> run_mean_variance_normalization(const OpCall& call) {
  constexpr double kEpsilon = 1e-9;  // the operator's function body adds it to the deviation
  const at::Tensor& x = call.in(0);
  const auto [variance, mean] =
      at::var_mean(x, call.node.integers("axes", {0, 2, 3}), at::Scalar(0), true);
  return {(x - mean) / (variance.sqrt() + kEpsilon)};
}

/// Divided by a power of the squares of the neighbouring channels, as the specification has it:
/// where `size` is even, the larger half lies after the channel.
std::vector<at::Tensor> run_lrn(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const int64_t size = call.node.integer("size", 1);
  if (size < 1)
    fail(Code::Model, "{}: size is {}; it has to be above 0", describe(call.node), size);
  std::vector<int64_t> pads(2 * static_cast<size_t>(x.dim() - 1), 0);
  pads[pads.size() - 2] = (size - 1) / 2;
  pads[pads.size() - 1] = size / 2;
  const at::Tensor sums = at::constant_pad_nd(x * x, pads, 0).unfold(1, size, 1).sum(-1);
  const double alpha = call.node.number("alpha", 1e-4F);
  const at::Tensor base = sums * (alpha / static_cast<double>(size)) + call.node.number("bias", 1);
  return {x * at::pow(base, -static_cast<double>(call.node.number("beta", 0.75F)))};
}

OpDef norm_row(std::string_view name, std::vector<std::string_view> attributes, RunFn run) {
  return {.name = name,
          .attributes = std::move(attributes),
          .data_inputs = 1,
          .run = run,
          .quant = kRewritten,
          .statistics = Statistics{}};
}

}  // namespace

std::vector<OpDef> norm_ops() {
  return {
      {.name = "BatchNormalization",
       .attributes = {{"epsilon", "momentum", "training_mode"}},
       .data_inputs = 1,
       .run = run_batch_normalization,
       .quant = FloatOnly{"it follows no convolution that it could be folded into"},
       .statistics = Statistics{3, 4}},
      norm_row("InstanceNormalization", {"epsilon"}, run_instance_normalization),
      norm_row("GroupNormalization", {"epsilon", "num_groups", "stash_type"},
               run_group_normalization),
      norm_row("LpNormalization", {"axis", "p"}, run_lp_normalization),
      norm_row("MeanVarianceNormalization", {"axes"}, run_mean_variance_normalization),
      norm_row("LRN", {"alpha", "beta", "bias", "size"}, run_lrn),
  };
}

}  // namespace octet
