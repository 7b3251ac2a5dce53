#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tril.h>
#include <ATen/ops/triu.h>

#include <algorithm>

#include "base/fail.h"
#include "ops/families.h"
#include "ops/integer_list.h"

namespace octet {
namespace {

/// How many elements are added along one axis; below zero: cut off.
struct Margin {
  int64_t axis;
  int64_t before;
  int64_t after;
};

at::Tensor pad_with_number(const at::Tensor& x, const std::vector<Margin>& margins,
                           const at::Scalar& number) {
  std::vector<int64_t> amounts(static_cast<size_t>(2 * x.dim()), 0);  // last dimension first
  for (const auto& [axis, before, after] : margins) {
    const auto at = static_cast<size_t>(2 * (x.dim() - 1 - axis));
    amounts[at] = before;
    amounts[at + 1] = after;
  }
  return at::constant_pad_nd(x, amounts, number);
}

/// Where each element along a padded axis of `extent` elements comes from.
at::Tensor source_of(std::string_view mode, const Margin& margin, int64_t extent) {
  const at::Tensor place = at::arange(-margin.before, extent + margin.after, at::kLong);
  if (mode == "edge") return place.clamp(0, extent - 1);
  if (mode == "wrap") return place.remainder(extent);
  const int64_t last = std::max<int64_t>(extent - 1, 1);  // to and fro between the two ends
  return (last - (place.remainder(2 * last) - last).abs()).clamp(0, extent - 1);
}

std::vector<at::Tensor> run_pad(const OpCall& call) {
  at::Tensor x = call.in(0);
  const std::string mode = call.node.text("mode", "constant");
  const auto pads = integers_of(call.in(1));
  const auto axes = axes_of(call.in(3), x.dim());
  std::vector<Margin> margins;
  for (size_t i = 0; i < axes.size(); ++i) {
    margins.push_back({axes[i], pads.at(i), pads.at(i + axes.size())});
  }
  if (mode == "constant") {
    return {pad_with_number(x, margins, call.has(2) ? call.in(2).item() : at::Scalar(0))};
  }
  if (mode != "edge" && mode != "reflect" && mode != "wrap") {
    fail(Code::Unsupported,
         "{}: the mode '{}' is not supported; known are constant, edge, reflect "
         "and wrap",
         describe(call.node), mode);
  }
  for (const Margin& margin : margins) {
    if (margin.before == 0 && margin.after == 0) continue;
    x = at::index_select(x, margin.axis, source_of(mode, margin, x.size(margin.axis)));
  }
  return {x};
}

/// To the wanted size along each axis: cut from both ends, or zeros around, where the odd one is
/// cut or added at the end.
std::vector<at::Tensor> run_center_crop_pad(const OpCall& call) {
  at::Tensor x = call.in(0);
  const auto sizes = integers_of(call.in(1));
  std::vector<int64_t> axes = axes_of({}, x.dim());
  if (call.node.has("axes")) axes = call.node.integers("axes");
  std::vector<Margin> margins;
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t axis = from_front(axes[i], x.dim());
    const int64_t added = sizes.at(i) - x.size(axis);
    margins.push_back({axis, added / 2, added - added / 2});
  }
  return {pad_with_number(x, margins, 0)};
}

/// The triangle above (`upper`) or below a diagonal of each matrix; zeros elsewhere.
std::vector<at::Tensor> run_trilu(const OpCall& call) {
  const int64_t diagonal = call.has(1) ? call.in(1).item<int64_t>() : 0;
  const bool upper = call.node.integer("upper", 1) != 0;
  return {upper ? at::triu(call.in(0), diagonal) : at::tril(call.in(0), diagonal)};
}

/// Zeros come in beside the values unless input 2 gives another number.
OpDef filling(std::string_view name, std::vector<std::string_view> attributes, RunFn run) {
  return {.name = name,
          .attributes = std::move(attributes),
          .data_inputs = 1,
          .run = run,
          .quant = Moves{.fill = 2},
          .statistics = Statistics{}};
}

}  // namespace

std::vector<OpDef> pad_ops() {
  return {
      filling("Pad", {"mode"}, run_pad),
      filling("CenterCropPad", {"axes"}, run_center_crop_pad),
      filling("Trilu", {"upper"}, run_trilu),
  };
}

}  // namespace octet
