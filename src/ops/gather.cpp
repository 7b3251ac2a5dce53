#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/scatter.h>
#include <ATen/ops/scatter_reduce.h>
#include <ATen/ops/zeros.h>

#include <numeric>

#include "base/fail.h"
#include "ops/families.h"
#include "ops/integer_list.h"

namespace octet {
namespace {

/// Indices below zero count from the end of `extent` elements.
at::Tensor wrapped(const at::Tensor& indices, int64_t extent) {
  const at::Tensor whole = indices.to(at::kLong);
  return whole + whole.lt(0).to(at::kLong) * extent;
}

int64_t product(at::IntArrayRef sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), int64_t{1}, std::multiplies<>());
}

/// Out(..., i, ...) = data(..., indices(i), ...) along the axis; indices may have any rank.
std::vector<at::Tensor> run_gather(const OpCall& call) {
  const at::Tensor& data = call.in(0);
  const int64_t axis = from_front(call.node.integer("axis", 0), data.dim());
  const at::Tensor indices = wrapped(call.in(1), data.size(axis));
  std::vector<int64_t> shape = data.sizes().vec();
  const auto at = shape.erase(shape.begin() + axis);
  shape.insert(at, indices.sizes().begin(), indices.sizes().end());
  return {at::index_select(data, axis, indices.reshape({-1})).reshape(shape)};
}

std::vector<at::Tensor> run_gather_elements(const OpCall& call) {
  const int64_t axis = call.node.integer("axis", 0);
  return {at::gather(call.in(0), axis, wrapped(call.in(1), call.in(0).size(axis)))};
}

/// The row of the flattened leading dimensions `sizes` that each index vector (the last dimension
/// of `indices`) names, one number per vector.
at::Tensor rows_of(const at::Tensor& indices, at::IntArrayRef sizes) {
  at::Tensor row = at::zeros(indices.sizes().slice(0, indices.dim() - 1), at::kLong);
  for (int64_t d = 0; d < static_cast<int64_t>(sizes.size()); ++d) {
    const int64_t extent = sizes[static_cast<size_t>(d)];
    row = row * extent + wrapped(indices.select(-1, d), extent);
  }
  return row;
}

std::vector<at::Tensor> run_gather_nd(const OpCall& call) {
  const at::Tensor data = call.in(0).contiguous();
  const at::Tensor& indices = call.in(1);
  const auto batch_dims = static_cast<size_t>(call.node.integer("batch_dims", 0));
  const auto depth = static_cast<size_t>(indices.size(-1));
  const int64_t batches = product(data.sizes().slice(0, batch_dims));
  const auto indexed = data.sizes().slice(batch_dims, depth);
  const auto rest = data.sizes().slice(batch_dims + depth);
  at::Tensor rows = rows_of(indices, indexed).reshape({batches, -1});
  rows = rows + at::arange(batches, at::kLong).unsqueeze(1) * product(indexed);
  std::vector<int64_t> shape = indices.sizes().vec();
  shape.pop_back();
  shape.insert(shape.end(), rest.begin(), rest.end());
  const at::Tensor flat = data.reshape({batches * product(indexed), product(rest)});
  return {at::index_select(flat, 0, rows.reshape({-1})).reshape(shape)};
}

/// Puts the updates at their places along the axis, or joins them with what is there.
at::Tensor scatter(const Node& node, const at::Tensor& data, int64_t axis, const at::Tensor& index,
                   const at::Tensor& updates) {
  const std::string reduction = node.text("reduction", "none");
  if (reduction == "none") return at::scatter(data, axis, index, updates);
  for (const auto& [onnx, aten] : {std::pair("add", "sum"), std::pair("mul", "prod"),
                                   std::pair("max", "amax"), std::pair("min", "amin")}) {
    if (reduction == onnx) return at::scatter_reduce(data, axis, index, updates, aten);
  }
  fail(Code::Unsupported,
       "{}: the reduction '{}' is not supported; known are none, add, mul, max "
       "and min",
       describe(node), reduction);
}

std::vector<at::Tensor> run_scatter_elements(const OpCall& call) {
  const int64_t axis = call.node.integer("axis", 0);
  const at::Tensor index = wrapped(call.in(1), call.in(0).size(axis));
  return {scatter(call.node, call.in(0), axis, index, call.in(2))};
}

std::vector<at::Tensor> run_scatter_nd(const OpCall& call) {
  const at::Tensor data = call.in(0).contiguous();
  const auto depth = static_cast<size_t>(call.in(1).size(-1));
  const auto indexed = data.sizes().slice(0, depth);
  const int64_t rest = product(data.sizes().slice(depth));
  const at::Tensor rows = rows_of(call.in(1), indexed).reshape({-1, 1});
  const at::Tensor flat = data.reshape({product(indexed), rest});
  return {scatter(call.node, flat, 0, rows.expand({rows.size(0), rest}),
                  call.in(2).contiguous().reshape({rows.size(0), rest}))
              .reshape(data.sizes())};
}

/// Writes the update into a cache along the axis, each batch from an index of its own on;
/// `circular` goes on at the front.
std::vector<at::Tensor> run_tensor_scatter(const OpCall& call) {
  const at::Tensor& cache = call.in(0);
  const at::Tensor& update = call.in(1);
  const int64_t axis = from_front(call.node.integer("axis", -2), cache.dim());
  at::Tensor places = at::arange(update.size(axis), at::kLong).unsqueeze(0);
  if (call.has(2)) places = places + call.in(2).to(at::kLong).unsqueeze(1);
  if (call.node.text("mode", "linear") == "circular") places = places.remainder(cache.size(axis));
  std::vector<int64_t> shape(static_cast<size_t>(cache.dim()), 1);
  shape[0] = places.size(0);
  shape[static_cast<size_t>(axis)] = places.size(1);
  return {at::scatter(cache, axis, places.reshape(shape).expand(update.sizes()), update)};
}

OpDef gather_row(std::string_view name, std::vector<std::string_view> attributes, RunFn run,
                 QuantRule rule, size_t data_inputs = 1) {
  return {.name = name,
          .attributes = std::move(attributes),
          .data_inputs = data_inputs,
          .run = run,
          .quant = rule,
          .statistics = Statistics{}};
}

}  // namespace

std::vector<OpDef> gather_ops() {
  const FloatOnly scatters{"its indices stand between the two tensors that it joins"};
  return {
      gather_row("Gather", {"axis"}, run_gather, Moves{}),
      gather_row("GatherElements", {"axis"}, run_gather_elements, Moves{}),
      gather_row("GatherND", {"batch_dims"}, run_gather_nd, Moves{}),
      gather_row("ScatterElements", {"axis", "reduction"}, run_scatter_elements, scatters),
      gather_row("ScatterND", {"reduction"}, run_scatter_nd, scatters),
      gather_row("TensorScatter", {"axis", "mode"}, run_tensor_scatter, Moves{}, 2),
  };
}

}  // namespace octet
