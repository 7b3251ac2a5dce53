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
std::vector<at::Tensor> run(const OpCall& call) {
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

OpDef row(std::string_view name, RunFn run, Pointwise rule = {}) {
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
      row("Abs", run_abs),
      row("Neg", run<at::neg>),
      row("Sign", run_sign),
      row("Sqrt", run<at::sqrt>),
      row("Reciprocal", run<at::reciprocal>),
      row("Exp", run<at::exp>),
      row("Log", run<at::log>),
      row("Floor", run<at::floor>),
      row("Ceil", run<at::ceil>),
      row("Round", run<at::round>),  // halves to even, as ONNX wants it
      row("Sin", run<at::sin>, Pointwise{{{-1, 1}}}),
      row("Cos", run<at::cos>, Pointwise{{{-1, 1}}}),
      row("Tan", run<at::tan>),
      row("Asin", run<at::asin>),
      row("Acos", run<at::acos>),
      row("Atan", run<at::atan>),
      row("Sinh", run<at::sinh>),
      row("Cosh", run<at::cosh>),
      row("Asinh", run<at::asinh>),
      row("Acosh", run<at::acosh>),
      row("Atanh", run<at::atanh>),
  };
}

}  // namespace octet
