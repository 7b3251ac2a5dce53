#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/argmin.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/cumsum.h>

#include "ops/families.h"
#include "ops/integer_list.h"
#include "ops/unsigned_integers.h"

namespace octet {
namespace {

using ArgFn = at::Tensor(const at::Tensor&, std::optional<int64_t>, bool);

/// The place of the largest or smallest number along the axis: of equal ones the first, or the
/// last.
template <ArgFn* function>
std::vector<at::Tensor> run_arg(const OpCall& call) {
  const at::Tensor x = ordered(call.in(0));
  const int64_t axis = call.node.integer("axis", 0);
  const bool keep = call.node.integer("keepdims", 1) != 0;
  if (call.node.integer("select_last_index", 0) == 0) return {function(x, axis, keep)};
  return {x.size(axis) - 1 - function(x.flip({axis}), axis, keep)};
}

std::vector<at::Tensor> run_cum_sum(const OpCall& call) {
  at::Tensor x = widened(call.in(0));
  const int64_t axis = from_front(call.in(1).item<int64_t>(), x.dim());
  const bool reverse = call.node.integer("reverse", 0) != 0;
  if (reverse) x = x.flip({axis});
  if (call.node.integer("exclusive", 0) != 0) {
    // Everything one further, behind a zero; amounts count from the last dimension.
    std::vector<int64_t> amounts(static_cast<size_t>(2 * (x.dim() - axis)), 0);
    amounts[amounts.size() - 2] = 1;
    amounts[amounts.size() - 1] = -1;
    x = at::constant_pad_nd(x, amounts, 0);
  }
  x = at::cumsum(x, axis, x.scalar_type());
  return {(reverse ? x.flip({axis}) : x).to(call.in(0).scalar_type())};
}

OpDef along_axis_row(std::string_view name, std::vector<std::string_view> attributes, RunFn run,
                     QuantRule rule) {
  return {.name = name,
          .attributes = std::move(attributes),
          .data_inputs = 1,
          .run = run,
          .quant = std::move(rule),
          .statistics = Statistics{}};
}

}  // namespace

// What runs along one axis.
std::vector<OpDef> along_axis_ops() {
  constexpr FloatOnly kIndex{"its result is not a number that could be quantized"};
  return {
      along_axis_row("ArgMax", {"axis", "keepdims", "select_last_index"}, run_arg<at::argmax>,
                     kIndex),
      along_axis_row("ArgMin", {"axis", "keepdims", "select_last_index"}, run_arg<at::argmin>,
                     kIndex),
      along_axis_row("CumSum", {"exclusive", "reverse"}, run_cum_sum, Rescale{}),
  };
}

}  // namespace octet
