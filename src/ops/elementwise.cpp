#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/div.h>

#include "ops/families.h"

namespace octet {
namespace {

std::vector<at::Tensor> run_add(const OpCall& call) { return {call.in(0) + call.in(1)}; }
std::vector<at::Tensor> run_sub(const OpCall& call) { return {call.in(0) - call.in(1)}; }
std::vector<at::Tensor> run_mul(const OpCall& call) { return {call.in(0) * call.in(1)}; }
std::vector<at::Tensor> run_div(const OpCall& call) {
  // Whole numbers (shapes) are divided towards zero.
  if (!call.in(0).is_floating_point()) return {at::div(call.in(0), call.in(1), "trunc")};
  return {call.in(0) / call.in(1)};
}

/// The single positive number that a Mul multiplies by, or 0.
double mul_factor(const Graph& graph, const Node& node) {
  for (size_t index : {size_t{0}, size_t{1}}) {
    const Tensor* constant = graph.constant_input(node, index);
    if (!constant || constant->dtype != DType::Float32 || constant->size() != 1) continue;
    if (constant->shape.size() > graph.value(node.input(1 - index)).shape.size()) continue;
    if (graph.is_constant(node.input(1 - index))) continue;
    const float factor = constant->as<float>()[0];
    if (factor > 0) return factor;
  }
  return 0;
}

OpDef binary(std::string_view name, RunFn run, Rescale rule) {
  return {.name = name,
          .attributes = std::vector<std::string_view>{},
          .data_inputs = 2,
          .run = run,
          .quant = rule,
          .statistics = Statistics{}};
}

}  // namespace

std::vector<OpDef> elementwise_ops() {
  return {
      binary("Add", run_add, Rescale{.elementwise = true}),
      binary("Sub", run_sub, Rescale{.elementwise = true}),
      binary("Mul", run_mul, Rescale{.factor = mul_factor, .elementwise = true}),
      binary("Div", run_div, Rescale{.elementwise = true}),
  };
}

}  // namespace octet
