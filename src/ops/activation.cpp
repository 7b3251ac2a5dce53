#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/celu.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/elu.h>
#include <ATen/ops/erf.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/hardswish.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mish.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/threshold.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include "base/fail.h"
#include "ops/clip_in_training.h"
#include "ops/families.h"
#include "ops/unsigned_integers.h"

namespace octet {
namespace {

std::vector<at::Tensor> run_relu(const OpCall& call) { return {at::relu(call.in(0))}; }
std::vector<at::Tensor> run_sigmoid(const OpCall& call) { return {at::sigmoid(call.in(0))}; }
std::vector<at::Tensor> run_tanh(const OpCall& call) { return {at::tanh(call.in(0))}; }
std::vector<at::Tensor> run_hard_swish(const OpCall& call) { return {at::hardswish(call.in(0))}; }
std::vector<at::Tensor> run_mish(const OpCall& call) { return {at::mish(call.in(0))}; }

/// Integers, which ONNX also allows, come back as integers.
std::vector<at::Tensor> run_erf(const OpCall& call) {
  return {at::erf(call.in(0)).to(call.in(0).scalar_type())};
}

std::vector<at::Tensor> run_softsign(const OpCall& call) {
  return {call.in(0) / (call.in(0).abs() + 1)};
}

std::vector<at::Tensor> run_softplus(const OpCall& call) {
  constexpr double kLinear = 40;  // above, log(1 + exp(x)) is x even in double precision
  return {at::softplus(call.in(0), 1, kLinear)};
}

at::Tensor clipped(const at::Tensor& x, const std::optional<at::Scalar>& low,
                   const std::optional<at::Scalar>& high) {
  if (!low && !high) return x;
  if (at::GradMode::is_enabled() && x.requires_grad()) {
    return clip_in_training(x, low.value_or(-kInfinity).toDouble(),
                            high.value_or(kInfinity).toDouble());
  }
  return from_ordered(at::clamp(ordered(x), low, high), x.scalar_type());
}

std::vector<at::Tensor> run_clip(const OpCall& call) {
  // Bounds as numbers: ATen's vectorized kernel, against a broadcast of 0-d tensors.
  std::optional<at::Scalar> low;
  std::optional<at::Scalar> high;
  if (call.has(1)) low = ordered(call.in(1)).item();
  if (call.has(2)) high = ordered(call.in(2)).item();
  return {clipped(call.in(0), low, high)};
}

std::vector<at::Tensor> run_hard_sigmoid(const OpCall& call) {
  const float alpha = call.node.number("alpha", 0.2F);
  const float beta = call.node.number("beta", 0.5F);
  return {clipped(call.in(0) * alpha + beta, 0, 1)};
}

std::vector<at::Tensor> run_leaky_relu(const OpCall& call) {
  return {at::leaky_relu(call.in(0), call.node.number("alpha", 0.01F))};
}

/// The slope is broadcast to the input.
std::vector<at::Tensor> run_prelu(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  if (!at::isSignedType(x.scalar_type())) return {x};
  return {at::where(x < 0, x * call.in(1), x)};
}

std::vector<at::Tensor> run_thresholded_relu(const OpCall& call) {
  return {at::threshold(call.in(0), call.node.number("alpha", 1), 0)};
}

std::vector<at::Tensor> run_shrink(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const double bias = call.node.number("bias", 0);
  const double edge = call.node.number("lambd", 0.5F);
  // Comparing and shifting in floats: the bounds of integers need not be whole.
  const at::Tensor wide = x.is_floating_point() ? x : x.to(at::kDouble);
  const at::Tensor inner = at::where(wide > edge, wide - bias, at::zeros_like(wide));
  return {at::where(wide < -edge, wide + bias, inner).to(x.scalar_type())};
}

std::vector<at::Tensor> run_elu(const OpCall& call) {
  return {at::elu(call.in(0), call.node.number("alpha", 1))};
}

std::vector<at::Tensor> run_celu(const OpCall& call) {
  return {at::celu(call.in(0), call.node.number("alpha", 1))};
}

std::vector<at::Tensor> run_selu(const OpCall& call) {
  return {at::elu(call.in(0), call.node.number("alpha", 1.67326319217681884765625F),
                  call.node.number("gamma", 1.05070102214813232421875F))};
}

std::vector<at::Tensor> run_gelu(const OpCall& call) {
  return {at::gelu(call.in(0), call.node.text("approximate", "none"))};
}

std::vector<at::Tensor> run_swish(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const float alpha = call.node.number("alpha", 1);
  return {alpha == 1 ? at::silu(x) : x * at::sigmoid(x * alpha)};
}

std::vector<at::Tensor> run_softmax(const OpCall& call) {
  return {at::softmax(call.in(0), call.node.integer("axis", -1))};
}

std::vector<at::Tensor> run_log_softmax(const OpCall& call) {
  return {at::log_softmax(call.in(0), call.node.integer("axis", -1))};
}

/// One at the first of the largest elements, zero elsewhere.
std::vector<at::Tensor> run_hardmax(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const int64_t axis = call.node.integer("axis", -1);
  return {at::zeros_like(x).scatter(axis, at::argmax(x, axis, true), 1)};
}

std::pair<float, float> relu_bounds(const Graph&, const Node&) { return {0.0F, kInfinity}; }

std::pair<float, float> clip_bounds(const Graph& graph, const Node& node) {
  std::pair<float, float> bounds{-kInfinity, kInfinity};
  for (size_t index : {size_t{1}, size_t{2}}) {
    if (node.input(index) == kAbsent) continue;
    const Tensor* bound = graph.constant_input(node, index);
    if (!bound) fail(Code::Unsupported, "{}: its bounds are not constants", describe(node));
    (index == 1 ? bounds.first : bounds.second) = bound->as<float>()[0];
  }
  return bounds;
}

OpDef unary(std::string_view name, std::vector<std::string_view> attributes, RunFn run,
            QuantRule quant) {
  return {.name = name,
          .attributes = std::move(attributes),
          .data_inputs = 1,
          .run = run,
          .quant = std::move(quant),
          .statistics = Statistics{}};
}

}  // namespace

std::vector<OpDef> activation_ops() {
  return {
      unary("Relu", {}, run_relu, Absorbable{relu_bounds}),
      unary("Clip", {}, run_clip, Absorbable{clip_bounds}),
      unary("LeakyRelu", {"alpha"}, run_leaky_relu, Pointwise{}),
      {.name = "PRelu",
       .attributes = std::vector<std::string_view>{},
       .data_inputs = 2,
       .run = run_prelu,
       .quant = Rescale{.elementwise = true},
       .statistics = Statistics{}},
      unary("ThresholdedRelu", {"alpha"}, run_thresholded_relu, Pointwise{}),
      unary("Shrink", {"bias", "lambd"}, run_shrink, Pointwise{}),
      unary("Elu", {"alpha"}, run_elu, Pointwise{}),
      unary("Celu", {"alpha"}, run_celu, Pointwise{}),
      unary("Selu", {"alpha", "gamma"}, run_selu, Pointwise{}),
      unary("Gelu", {"approximate"}, run_gelu, Pointwise{}),
      unary("Mish", {}, run_mish, Pointwise{}),
      unary("Swish", {"alpha"}, run_swish, Pointwise{}),
      unary("HardSwish", {}, run_hard_swish, Pointwise{}),
      unary("Softplus", {}, run_softplus, Pointwise{}),
      unary("Softsign", {}, run_softsign, Pointwise{{{-1, 1}}}),
      unary("Erf", {}, run_erf, Pointwise{{{-1, 1}}}),
      unary("Sigmoid", {}, run_sigmoid, Pointwise{{{0, 1}}}),
      unary("Tanh", {}, run_tanh, Pointwise{{{-1, 1}}}),
      unary("HardSigmoid", {"alpha", "beta"}, run_hard_sigmoid, Pointwise{{{0, 1}}}),
      unary("Softmax", {"axis"}, run_softmax, Bounded{0, 1}),
      unary("LogSoftmax", {"axis"}, run_log_softmax, Rescale{}),
      unary("Hardmax", {"axis"}, run_hardmax, Bounded{0, 1}),
  };
}

}  // namespace octet
