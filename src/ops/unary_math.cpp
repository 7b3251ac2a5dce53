#include <ATen/core/Tensor.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/acos.h>
#include <ATen/ops/acosh.h>
#include <ATen/ops/asin.h>
#include <ATen/ops/asinh.h>
#include <ATen/ops/atan.h>
#include <ATen/ops/atanh.h>
#include <ATen/ops/ceil.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/cosh.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/floor.h>
#include <ATen/ops/log.h>
#include <ATen/ops/neg.h>
#include <ATen/ops/reciprocal.h>
#include <ATen/ops/round.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/sinh.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/tan.h>

#include "ops/families.h"
#include "ops/unsigned_integers.h"

namespace octet {
namespace {

template <at::Tensor (*function)(const at::Tensor&)>
std::vector<at::Tensor> run_unary(const OpCall& call) {
  return {function(call.in(0))};
}

std::vector<at::Tensor> run_abs(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const bool unsigned_integers = !x.is_floating_point() && !at::isSignedType(x.scalar_type());
  return {unsigned_integers ? x : at::abs(x)};
}

std::vector<at::Tensor> run_sign(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  if (x.is_floating_point() || at::isSignedType(x.scalar_type())) return {at::sign(x)};
  return {widened(x).ne(0).to(x.scalar_type())};
}

OpDef unary_row(std::string_view name, RunFn run, Pointwise rule = {}) {
  return {.name = name,
          .attributes = std::vector<std::string_view>{},
          .data_inputs = 1,
          .run = run,
          .quant = rule,
          .statistics = Statistics{}};
}

}  // namespace

std::vector<OpDef> unary_math_ops() {
  return {
      unary_row("Abs", run_abs),
      unary_row("Neg", run_unary<at::neg>),
      unary_row("Sign", run_sign),
      unary_row("Sqrt", run_unary<at::sqrt>),
      unary_row("Reciprocal", run_unary<at::reciprocal>),
      unary_row("Exp", run_unary<at::exp>),
      unary_row("Log", run_unary<at::log>),
      unary_row("Floor", run_unary<at::floor>),
      unary_row("Ceil", run_unary<at::ceil>),
      unary_row("Round", run_unary<at::round>),  // halves to even, as ONNX wants it
      unary_row("Sin", run_unary<at::sin>, Pointwise{{{-1, 1}}}),
      unary_row("Cos", run_unary<at::cos>, Pointwise{{{-1, 1}}}),
      unary_row("Tan", run_unary<at::tan>),
      unary_row("Asin", run_unary<at::asin>),
      unary_row("Acos", run_unary<at::acos>),
      unary_row("Atan", run_unary<at::atan>),
      unary_row("Sinh", run_unary<at::sinh>),
      unary_row("Cosh", run_unary<at::cosh>),
      unary_row("Asinh", run_unary<at::asinh>),
      unary_row("Acosh", run_unary<at::acosh>),
      unary_row("Atanh", run_unary<at::atanh>),
  };
}

}  // namespace octet
