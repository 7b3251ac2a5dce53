#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>

#include <algorithm>

#include "base/fail.h"
#include "ops/families.h"

namespace octet {
namespace {

std::vector<at::Tensor> run_shape(const OpCall& call) {
  const auto sizes = call.in(0).sizes();
  const auto rank = static_cast<int64_t>(sizes.size());
  const auto place = [&](int64_t index) {
    return std::clamp(index < 0 ? index + rank : index, int64_t{0}, rank);
  };
  const int64_t start = place(call.node.integer("start", 0));
  const int64_t end = std::max(start, place(call.node.integer("end", rank)));
  return {at::tensor(sizes.slice(static_cast<size_t>(start), static_cast<size_t>(end - start)),
                     at::kLong)};
}

std::vector<at::Tensor> run_constant_of_shape(const OpCall& call) {
  const at::Tensor& shape = call.in(0);
  const std::vector<int64_t> sizes(shape.const_data_ptr<int64_t>(),
                                   shape.const_data_ptr<int64_t>() + shape.numel());
  const auto it = call.node.attributes.find("value");
  if (it == call.node.attributes.end()) return {at::full(sizes, 0.0F, at::kFloat)};
  const auto& value = std::get<Tensor>(it->second);
  if (value.dtype == DType::Int64) return {at::full(sizes, value.as<int64_t>()[0], at::kLong)};
  return {at::full(sizes, value.as<float>()[0], at::kFloat)};
}

std::vector<at::Tensor> run_cast(const OpCall& call) {
  switch (call.node.integer("to", 0)) {  // onnx.proto, TensorProto.DataType
    case 1: return {call.in(0).to(at::kFloat)};
    case 6: return {call.in(0).to(at::kInt)};
    case 7: return {call.in(0).to(at::kLong)};
    case 9: return {call.in(0).to(at::kBool)};
    case 11: return {call.in(0).to(at::kDouble)};
    default:
      fail(Code::Unsupported, "{}: a cast to ONNX type {} is not supported", describe(call.node),
           call.node.integer("to", 0));
  }
}

/// Out(..., i, ...) = data(..., indices(i), ...) along the axis; indices may have any rank.
std::vector<at::Tensor> run_gather(const OpCall& call) {
  const at::Tensor& data = call.in(0);
  const int64_t axis = call.node.integer("axis", 0) < 0 ? call.node.integer("axis", 0) + data.dim()
                                                        : call.node.integer("axis", 0);
  at::Tensor indices = call.in(1).to(at::kLong);
  indices = indices + indices.lt(0).to(at::kLong) * data.size(axis);
  std::vector<int64_t> shape = data.sizes().vec();
  const auto at = shape.erase(shape.begin() + axis);
  shape.insert(at, indices.sizes().begin(), indices.sizes().end());
  return {at::index_select(data, axis, indices.reshape({-1})).reshape(shape)};
}

OpDef row(std::string_view name, std::vector<std::string_view> attributes, RunFn run) {
  return {.name = name,
          .attributes = std::move(attributes),
          .data_inputs = 1,
          .run = run,
          .quant = FloatOnly{"octet knows it for computing shapes only"},
          .statistics = Statistics{}};
}

}  // namespace

// What exporters write around reshapes and pads. `freeze_shapes` computes it when a network is
// read.
std::vector<OpDef> shape_ops() {
  return {
      row("Shape", {"start", "end"}, run_shape),
      row("ConstantOfShape", {"value"}, run_constant_of_shape),
      row("Cast", {"to", "saturate"}, run_cast),
      row("Gather", {"axis"}, run_gather),
  };
}

}  // namespace octet
