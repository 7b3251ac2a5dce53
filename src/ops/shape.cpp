#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/fail.h"
#include "ops/element_type.h"
#include "ops/families.h"
#include "ops/integer_list.h"

namespace octet {
namespace {

std::vector<at::Tensor> run_shape(const OpCall& call) {
  const auto sizes = call.in(0).sizes();
  const auto rank = static_cast<int64_t>(sizes.size());
  const auto place = [&](int64_t index) {
    return std::clamp(from_front(index, rank), int64_t{0}, rank);
  };
  const int64_t start = place(call.node.integer("start", 0));
  const int64_t end = std::max(start, place(call.node.integer("end", rank)));
  return {at::tensor(sizes.slice(static_cast<size_t>(start), static_cast<size_t>(end - start)),
                     at::kLong)};
}

std::vector<at::Tensor> run_size(const OpCall& call) {
  return {at::full({}, call.in(0).numel(), at::kLong)};
}

std::vector<at::Tensor> run_constant_of_shape(const OpCall& call) {
  const std::vector<int64_t> sizes = integers_of(call.in(0));
  const auto it = call.node.attributes.find("value");
  if (it == call.node.attributes.end()) return {at::zeros(sizes, at::kFloat)};
  const auto& value = std::get<Tensor>(it->second);
  const at::Tensor number = at::zeros({}, scalar_type(value.dtype));
  if (value.size() != 1) {
    fail(Code::Model, "{}: 'value' has {} elements; wanted 1", describe(call.node), value.size());
  }
  std::memcpy(number.mutable_data_ptr(), value.bytes.data(), value.bytes.size());
  return {number.expand(sizes).contiguous()};
}

std::vector<at::Tensor> run_cast(const OpCall& call) {
  return {call.in(0).to(scalar_type_of(call.node, "to", 0))};
}

std::vector<at::Tensor> run_cast_like(const OpCall& call) {
  return {call.in(0).to(call.in(1).scalar_type())};
}

/// start, start + delta, ... before limit.
std::vector<at::Tensor> run_range(const OpCall& call) {
  const at::ScalarType type = call.in(0).scalar_type();
  const double delta = call.in(2).item<double>();
  const double count = (call.in(1).item<double>() - call.in(0).item<double>()) / delta;
  if (!std::isfinite(count)) fail(Code::Model, "{}: its step is {}", describe(call.node), delta);
  const auto wide = at::isIntegralType(type, false) ? at::kLong : at::kDouble;
  const at::Tensor steps = at::arange(static_cast<int64_t>(std::max(std::ceil(count), 0.0)), wide);
  return {(call.in(0).to(wide) + steps * call.in(2).to(wide)).to(type)};
}

/// Ones on the k-th diagonal of a matrix of the given shape.
std::vector<at::Tensor> run_eye_like(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const at::ScalarType type =
      call.node.has("dtype") ? scalar_type_of(call.node, "dtype", 0) : x.scalar_type();
  const at::Tensor rows = at::arange(x.size(0), at::kLong).unsqueeze(1);
  const at::Tensor columns = at::arange(x.size(1), at::kLong).unsqueeze(0);
  return {(columns - rows).eq(call.node.integer("k", 0)).to(type)};
}

/// Indices below zero count from the end; others beyond the depth have no "on" anywhere.
std::vector<at::Tensor> run_one_hot(const OpCall& call) {
  const at::Tensor indices = call.in(0).to(at::kLong);
  const int64_t depth = call.in(1).to(at::kLong).reshape({-1})[0].item<int64_t>();
  const int64_t axis = from_front(call.node.integer("axis", -1), indices.dim() + 1);
  std::vector<int64_t> shape(static_cast<size_t>(indices.dim() + 1), 1);
  shape[static_cast<size_t>(axis)] = depth;
  const at::Tensor places = at::arange(depth, at::kLong).reshape(shape);
  const at::Tensor wanted = (indices + indices.lt(0).to(at::kLong) * depth).unsqueeze(axis);
  return {at::where(wanted.eq(places), call.in(2)[1], call.in(2)[0])};
}

/// Places of what is not zero: a column per element.
std::vector<at::Tensor> run_non_zero(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  return {at::nonzero(x.dim() > 0 ? x : x.reshape({1})).t().contiguous()};
}

OpDef shape_row(std::string_view name, std::vector<std::string_view> attributes, RunFn run,
                size_t data_inputs = 1) {
  return {.name = name,
          .attributes = std::move(attributes),
          .data_inputs = data_inputs,
          .run = run,
          .quant = FloatOnly{"octet knows it for computing shapes only"},
          .statistics = Statistics{}};
}

}  // namespace

// What exporters write around reshapes and pads. `freeze_shapes` computes it when a network is
// read.
std::vector<OpDef> shape_ops() {
  return {
      shape_row("Shape", {"start", "end"}, run_shape),
      shape_row("Size", {}, run_size),
      shape_row("ConstantOfShape", {"value"}, run_constant_of_shape),
      shape_row("Cast", {"to", "saturate"}, run_cast),
      shape_row("CastLike", {"saturate"}, run_cast_like),
      shape_row("Range", {}, run_range),
      shape_row("EyeLike", {"dtype", "k"}, run_eye_like),
      shape_row("OneHot", {"axis"}, run_one_hot),
      shape_row("NonZero", {}, run_non_zero),
  };
}

}  // namespace octet
