#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/hardswish.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tanh.h>

#include <limits>

#include "base/fail.h"
#include "ops/families.h"

namespace octet {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<at::Tensor> run_relu(const OpCall& call) { return {at::relu(call.in(0))}; }
std::vector<at::Tensor> run_sigmoid(const OpCall& call) { return {at::sigmoid(call.in(0))}; }
std::vector<at::Tensor> run_tanh(const OpCall& call) { return {at::tanh(call.in(0))}; }
std::vector<at::Tensor> run_hard_swish(const OpCall& call) { return {at::hardswish(call.in(0))}; }

std::vector<at::Tensor> run_clip(const OpCall& call) {
  std::optional<at::Tensor> low;
  std::optional<at::Tensor> high;
  if (call.has(1)) low = call.in(1);
  if (call.has(2)) high = call.in(2);
  if (!low && !high) return {call.in(0)};
  // Bounds as numbers: ATen's vectorized kernel, against a broadcast of 0-d tensors.
  std::optional<at::Scalar> low_number;
  std::optional<at::Scalar> high_number;
  if (low) low_number = low->item();
  if (high) high_number = high->item();
  return {at::clamp(call.in(0), low_number, high_number)};
}

std::vector<at::Tensor> run_hard_sigmoid(const OpCall& call) {
  const float alpha = call.node.number("alpha", 0.2F);
  const float beta = call.node.number("beta", 0.5F);
  return {at::clamp(call.in(0) * alpha + beta, 0, 1)};
}

std::vector<at::Tensor> run_leaky_relu(const OpCall& call) {
  return {at::leaky_relu(call.in(0), call.node.number("alpha", 0.01F))};
}

std::vector<at::Tensor> run_softmax(const OpCall& call) {
  return {at::softmax(call.in(0), call.node.integer("axis", -1))};
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
      unary("Sigmoid", {}, run_sigmoid, Pointwise{{{0, 1}}}),
      unary("Tanh", {}, run_tanh, Pointwise{{{-1, 1}}}),
      unary("Softmax", {"axis"}, run_softmax, Bounded{0, 1}),
      unary("HardSigmoid", {"alpha", "beta"}, run_hard_sigmoid, Pointwise{{{0, 1}}}),
      unary("HardSwish", {}, run_hard_swish, Pointwise{}),
  };
}

}  // namespace octet
