#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/div.h>
#include <ATen/ops/fmod.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/remainder.h>

#include "base/fail.h"
#include "ops/families.h"
#include "ops/unsigned_integers.h"

namespace octet {
namespace {

at::Tensor add(const at::Tensor& a, const at::Tensor& b) { return a + b; }
at::Tensor subtract(const at::Tensor& a, const at::Tensor& b) { return a - b; }
at::Tensor multiply(const at::Tensor& a, const at::Tensor& b) { return a * b; }

/// What is right modulo 2^64.
template <at::Tensor (*function)(const at::Tensor&, const at::Tensor&)>
std::vector<at::Tensor> run_ring(const OpCall& call) {
  const at::ScalarType type = call.in(0).scalar_type();
  return {function(widened(call.in(0)), widened(call.in(1))).to(type)};
}

/// Divisors of whole numbers. ONNX leaves a division by zero open; ATen would refuse the zero
/// images that shapes are inferred on.
at::Tensor divisor(const at::Tensor& b) {
  const at::Tensor wide = widened(b);
  return wide.masked_fill(wide.eq(0), 1);
}

std::vector<at::Tensor> run_div(const OpCall& call) {
  const at::Tensor& a = call.in(0);
  const at::Tensor& b = call.in(1);
  if (a.is_floating_point()) return {a / b};
  if (a.scalar_type() == at::kUInt64) {
    return {each_uint64(a, b, [](uint64_t x, uint64_t y) { return y == 0 ? x : x / y; })};
  }
  // Whole numbers (shapes) are divided towards zero.
  return {at::div(widened(a), divisor(b), "trunc").to(a.scalar_type())};
}

/// The result has the sign of the divisor, with `fmod` that of the dividend.
std::vector<at::Tensor> run_mod(const OpCall& call) {
  const at::Tensor& a = call.in(0);
  const at::Tensor& b = call.in(1);
  const bool fmod = call.node.integer("fmod", 0) != 0;
  if (a.is_floating_point()) {
    if (!fmod) {
      fail(Code::Model,
           "{}: its inputs are floating-point numbers, which wants the attribute fmod=1",
           describe(call.node));
    }
    return {at::fmod(a, b)};
  }
  if (a.scalar_type() == at::kUInt64) {
    return {each_uint64(a, b, [](uint64_t x, uint64_t y) { return y == 0 ? 0 : x % y; })};
  }
  const at::Tensor wide = widened(a);
  return {
      (fmod ? at::fmod(wide, divisor(b)) : at::remainder(wide, divisor(b))).to(a.scalar_type())};
}

/// The result has the type of the base, whatever the exponent's.
std::vector<at::Tensor> run_pow(const OpCall& call) {
  const at::Tensor& exponent = call.in(1);
  at::Tensor base = call.in(0);
  const at::ScalarType type = base.scalar_type();
  const bool number = exponent.numel() == 1 && exponent.dim() <= base.dim();
  if (base.is_floating_point() && number && !exponent.requires_grad()) {
    // ATen has kernels for squares and roots, which it chooses where the exponent is a number.
    return {at::pow(base, widened(exponent).item())};
  }
  base = exponent.is_floating_point() && !base.is_floating_point() ? base.to(at::kDouble)
                                                                   : widened(base);
  return {at::pow(base, widened(exponent)).to(type)};
}

/// The inputs one after the other; there may be a single one.
template <at::Tensor (*function)(const at::Tensor&, const at::Tensor&)>
at::Tensor chain(const OpCall& call) {
  at::Tensor out = call.in(0);
  for (const at::Tensor& next : call.inputs.subspan(1)) out = function(out, next);
  return out;
}

std::vector<at::Tensor> run_sum(const OpCall& call) { return {chain<add>(call)}; }
std::vector<at::Tensor> run_mean(const OpCall& call) {
  return {chain<add>(call) / static_cast<double>(call.inputs.size())};
}

template <at::Tensor (*function)(const at::Tensor&, const at::Tensor&)>
std::vector<at::Tensor> run_extreme(const OpCall& call) {
  const at::ScalarType type = call.in(0).scalar_type();
  at::Tensor out = ordered(call.in(0));
  for (const at::Tensor& next : call.inputs.subspan(1)) out = function(out, ordered(next));
  return {from_ordered(out, type)};
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

OpDef elementwise_row(std::string_view name, std::vector<std::string_view> attributes,
                      size_t data_inputs, RunFn run, Rescale rule = {.elementwise = true}) {
  return {.name = name,
          .attributes = std::move(attributes),
          .data_inputs = data_inputs,
          .run = run,
          .quant = rule,
          .statistics = Statistics{}};
}

}  // namespace

std::vector<OpDef> elementwise_ops() {
  return {
      elementwise_row("Add", {}, 2, run_ring<add>),
      elementwise_row("Sub", {}, 2, run_ring<subtract>),
      elementwise_row("Mul", {}, 2, run_ring<multiply>,
                      Rescale{.factor = mul_factor, .elementwise = true}),
      elementwise_row("Div", {}, 2, run_div),
      elementwise_row("Mod", {"fmod"}, 2, run_mod),
      elementwise_row("Pow", {}, 2, run_pow),
      elementwise_row("Sum", {}, kAllInputs, run_sum),
      elementwise_row("Mean", {}, kAllInputs, run_mean),
      elementwise_row("Max", {}, kAllInputs, run_extreme<at::maximum>),
      elementwise_row("Min", {}, kAllInputs, run_extreme<at::minimum>),
  };
}

}  // namespace octet
