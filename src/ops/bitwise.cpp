#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/bitwise_left_shift.h>
#include <ATen/ops/bitwise_not.h>
#include <ATen/ops/bitwise_right_shift.h>

#include "base/fail.h"
#include "ops/families.h"
#include "ops/unsigned_integers.h"

namespace octet {
namespace {

at::Tensor bit_and(const at::Tensor& a, const at::Tensor& b) { return a & b; }
at::Tensor bit_or(const at::Tensor& a, const at::Tensor& b) { return a | b; }
at::Tensor bit_xor(const at::Tensor& a, const at::Tensor& b) { return a ^ b; }

template <at::Tensor (*function)(const at::Tensor&, const at::Tensor&)>
std::vector<at::Tensor> run_bitwise(const OpCall& call) {
  const at::ScalarType type = call.in(0).scalar_type();
  return {function(widened(call.in(0)), widened(call.in(1))).to(type)};
}

std::vector<at::Tensor> run_bitwise_not(const OpCall& call) {
  return {at::bitwise_not(widened(call.in(0))).to(call.in(0).scalar_type())};
}

/// Unsigned integers only; bits that leave the type are lost.
std::vector<at::Tensor> run_bit_shift(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const at::Tensor& amount = call.in(1);
  const std::string direction = call.node.text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") {
    fail(Code::Model, "{}: its direction is '{}'; wanted LEFT or RIGHT", describe(call.node),
         direction);
  }
  if (direction == "LEFT") {
    return {at::bitwise_left_shift(widened(x), widened(amount)).to(x.scalar_type())};
  }
  if (x.scalar_type() == at::kUInt64) {  // int64 would be filled with its sign
    return {each_uint64(
        x, amount, [](uint64_t bits, uint64_t by) { return by < 64 ? bits >> by : uint64_t{0}; })};
  }
  return {at::bitwise_right_shift(widened(x), widened(amount)).to(x.scalar_type())};
}

OpDef bitwise_row(std::string_view name, std::vector<std::string_view> attributes,
                  size_t data_inputs, RunFn run) {
  return {.name = name,
          .attributes = std::move(attributes),
          .data_inputs = data_inputs,
          .run = run,
          .quant = FloatOnly{"its result is not a number that could be quantized"},
          .statistics = Statistics{}};
}

}  // namespace

std::vector<OpDef> bitwise_ops() {
  return {
      bitwise_row("BitShift", {"direction"}, 2, run_bit_shift),
      bitwise_row("BitwiseAnd", {}, 2, run_bitwise<bit_and>),
      bitwise_row("BitwiseOr", {}, 2, run_bitwise<bit_or>),
      bitwise_row("BitwiseXor", {}, 2, run_bitwise<bit_xor>),
      bitwise_row("BitwiseNot", {}, 1, run_bitwise_not),
  };
}

}  // namespace octet
