#include <ATen/core/Tensor.h>
#include <ATen/ops/eq.h>
#include <ATen/ops/ge.h>
#include <ATen/ops/gt.h>
#include <ATen/ops/isnan.h>
#include <ATen/ops/le.h>
#include <ATen/ops/logical_and.h>
#include <ATen/ops/logical_not.h>
#include <ATen/ops/logical_or.h>
#include <ATen/ops/logical_xor.h>
#include <ATen/ops/lt.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include "ops/families.h"
#include "ops/unsigned_integers.h"

namespace octet {
namespace {

template <at::Tensor (*function)(const at::Tensor&, const at::Tensor&)>
std::vector<at::Tensor> run_compare(const OpCall& call) {
  return {function(ordered(call.in(0)), ordered(call.in(1)))};
}

template <at::Tensor (*function)(const at::Tensor&, const at::Tensor&)>
std::vector<at::Tensor> run_binary(const OpCall& call) {
  return {function(call.in(0), call.in(1))};
}

std::vector<at::Tensor> run_not(const OpCall& call) { return {at::logical_not(call.in(0))}; }
std::vector<at::Tensor> run_is_nan(const OpCall& call) { return {at::isnan(call.in(0))}; }

std::vector<at::Tensor> run_is_inf(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  at::Tensor found = at::zeros_like(x, at::kBool);
  if (call.node.integer("detect_negative", 1) != 0) found.logical_or_(x.eq(-kInfinity));
  if (call.node.integer("detect_positive", 1) != 0) found.logical_or_(x.eq(kInfinity));
  return {found};
}

std::vector<at::Tensor> run_where(const OpCall& call) {
  const at::ScalarType type = call.in(1).scalar_type();
  return {at::where(call.in(0), widened(call.in(1)), widened(call.in(2))).to(type)};
}

OpDef logic_row(std::string_view name, std::vector<std::string_view> attributes, size_t data_inputs,
                RunFn run) {
  return {.name = name,
          .attributes = std::move(attributes),
          .data_inputs = data_inputs,
          .run = run,
          .quant = FloatOnly{"its result is not a number that could be quantized"},
          .statistics = Statistics{}};
}

}  // namespace

std::vector<OpDef> logic_ops() {
  return {
      logic_row("And", {}, 2, run_binary<at::logical_and>),
      logic_row("Or", {}, 2, run_binary<at::logical_or>),
      logic_row("Xor", {}, 2, run_binary<at::logical_xor>),
      logic_row("Not", {}, 1, run_not),
      logic_row("Equal", {}, 2, run_compare<at::eq>),
      logic_row("Greater", {}, 2, run_compare<at::gt>),
      logic_row("GreaterOrEqual", {}, 2, run_compare<at::ge>),
      logic_row("Less", {}, 2, run_compare<at::lt>),
      logic_row("LessOrEqual", {}, 2, run_compare<at::le>),
      logic_row("IsNaN", {}, 1, run_is_nan),
      logic_row("IsInf", {"detect_negative", "detect_positive"}, 1, run_is_inf),
      {.name = "Where",
       .attributes = std::vector<std::string_view>{},
       .data_inputs = 3,  // the condition among them, which is not of floating-point numbers
       .run = run_where,
       .quant = Rescale{},
       .statistics = Statistics{}},
  };
}

}  // namespace octet
