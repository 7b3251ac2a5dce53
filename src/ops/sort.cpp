#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/argsort.h>
#include <ATen/ops/full.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/scatter_reduce.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/unique_dim.h>
#include <ATen/ops/zeros_like.h>

#include "ops/families.h"
#include "ops/integer_list.h"

namespace octet {
namespace {

/// Values and their indices; of equal values the one with the lower index comes first.
std::vector<at::Tensor> run_top_k(const OpCall& call) {
  const int64_t axis = call.node.integer("axis", -1);
  const bool largest = call.node.integer("largest", 1) != 0;
  const int64_t count = integers_of(call.in(1)).at(0);
  const auto [values, indices] = at::sort(call.in(0), /*stable=*/true, axis, largest);
  return {values.narrow(axis, 0, count), indices.narrow(axis, 0, count)};
}

/// The different slices along the axis (elements, where none is given), where each is first seen,
/// which of them each slice is, and how often it is there.
std::vector<at::Tensor> run_unique(const OpCall& call) {
  const bool flat = !call.node.has("axis");
  const at::Tensor x = flat ? call.in(0).contiguous().reshape({-1}) : call.in(0);
  const int64_t axis = from_front(call.node.integer("axis", 0), x.dim());
  auto [values, inverse, counts] = at::unique_dim(x, axis, true, true, true);
  const at::Tensor places = at::arange(x.size(axis), at::kLong);
  at::Tensor first = at::scatter_reduce(at::full({values.size(axis)}, x.size(axis), at::kLong), 0,
                                        inverse, places, "amin");
  if (call.node.integer("sorted", 1) == 0) {  // in the order of appearance
    const at::Tensor order = at::argsort(first);
    values = at::index_select(values, axis, order);
    counts = at::index_select(counts, 0, order);
    first = at::index_select(first, 0, order);
    inverse = at::index_select(at::argsort(order), 0, inverse);
  }
  return {values, first, inverse, counts};
}

OpDef sort_row(std::string_view name, std::vector<std::string_view> attributes, RunFn run) {
  return {.name = name,
          .attributes = std::move(attributes),
          .data_inputs = 1,
          .run = run,
          .quant = FloatOnly{"it also puts out indices, and no target sorts in integers"},
          .statistics = Statistics{}};
}

}  // namespace

std::vector<OpDef> sort_ops() {
  return {
      sort_row("TopK", {"axis", "largest", "sorted"}, run_top_k),
      sort_row("Unique", {"axis", "sorted"}, run_unique),
  };
}

}  // namespace octet
