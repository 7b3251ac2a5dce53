#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/dropout.h>

#include <algorithm>
#include <numeric>

#include "base/fail.h"
#include "ops/families.h"

namespace octet {
namespace {

std::vector<int64_t> list(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.contiguous().toType(at::kLong);
  return {flat.data_ptr<int64_t>(), flat.data_ptr<int64_t>() + flat.numel()};
}

int64_t wrap(int64_t axis, int64_t rank) { return axis < 0 ? axis + rank : axis; }

std::vector<at::Tensor> run_identity(const OpCall& call) { return {call.in(0)}; }

std::vector<at::Tensor> run_dropout(const OpCall& call) {
  double ratio = 0.5;
  if (call.has(1)) ratio = call.in(1).item<double>();
  return {call.training ? at::dropout(call.in(0), ratio, true) : call.in(0)};
}

std::vector<at::Tensor> run_reshape(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  std::vector<int64_t> shape = list(call.in(1));
  if (call.node.integer("allowzero", 0) == 0) {
    for (size_t d = 0; d < shape.size(); ++d) {
      if (shape[d] == 0) shape[d] = x.size(static_cast<int64_t>(d));
    }
  }
  return {x.contiguous().reshape(shape)};
}

std::vector<at::Tensor> run_flatten(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  const int64_t axis = wrap(call.node.integer("axis", 1), x.dim());
  int64_t rows = 1;
  for (int64_t d = 0; d < axis; ++d) rows *= x.size(d);
  return {x.contiguous().reshape({rows, -1})};
}

std::vector<at::Tensor> run_transpose(const OpCall& call) {
  std::vector<int64_t> reversed(static_cast<size_t>(call.in(0).dim()));
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  return {call.in(0).permute(call.node.integers("perm", reversed))};
}

std::vector<at::Tensor> run_squeeze(const OpCall& call) {
  at::Tensor x = call.in(0);
  if (!call.has(1)) return {x.squeeze()};
  std::vector<int64_t> axes = list(call.in(1));
  for (int64_t& axis : axes) axis = wrap(axis, x.dim());
  std::ranges::sort(axes, std::greater{});
  for (int64_t axis : axes) x = x.squeeze(axis);
  return {x};
}

std::vector<at::Tensor> run_unsqueeze(const OpCall& call) {
  at::Tensor x = call.in(0);
  std::vector<int64_t> axes = list(call.in(1));
  for (int64_t& axis : axes) axis = wrap(axis, x.dim() + static_cast<int64_t>(axes.size()));
  std::ranges::sort(axes);
  for (int64_t axis : axes) x = x.unsqueeze(axis);
  return {x};
}

std::vector<at::Tensor> run_concat(const OpCall& call) {
  return {at::cat({call.inputs.data(), call.inputs.size()}, call.node.integer("axis", 0))};
}

/// A slice with a negative step, which ATen lacks.
at::Tensor backwards(const at::Tensor& x, int64_t axis, int64_t start, int64_t end, int64_t step) {
  const int64_t extent = x.size(axis);
  const int64_t first = std::clamp(wrap(start, extent), int64_t{0}, extent - 1);
  const int64_t last = std::clamp(wrap(end, extent), int64_t{-1}, extent - 1);
  // Towards the front: the first element of the turned tensor is the last of the given one.
  return x.flip({axis}).slice(axis, extent - 1 - first, extent - 1 - last, -step);
}

std::vector<at::Tensor> run_slice(const OpCall& call) {
  at::Tensor x = call.in(0);
  const auto starts = list(call.in(1));
  const auto ends = list(call.in(2));
  std::vector<int64_t> axes(starts.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (call.has(3)) axes = list(call.in(3));
  const std::vector<int64_t> steps =
      call.has(4) ? list(call.in(4)) : std::vector<int64_t>(starts.size(), 1);
  for (size_t i = 0; i < starts.size(); ++i) {
    x = steps[i] > 0 ? x.slice(axes[i], starts[i], ends[i], steps[i])
                     : backwards(x, axes[i], starts[i], ends[i], steps[i]);
  }
  return {x};
}

std::vector<at::Tensor> run_pad(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  if (call.node.text("mode", "constant") != "constant") {
    fail(Code::Unsupported, "{}: only the mode 'constant' is supported", describe(call.node));
  }
  const auto pads = list(call.in(1));
  const double fill = call.has(2) ? call.in(2).item<double>() : 0.0;
  std::vector<int64_t> axes(pads.size() / 2);
  std::iota(axes.begin(), axes.end(), 0);
  if (call.has(3)) axes = list(call.in(3));
  std::vector<int64_t> amounts(static_cast<size_t>(2 * x.dim()), 0);  // last dimension first
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto at = static_cast<size_t>(2 * (x.dim() - 1 - wrap(axes[i], x.dim())));
    amounts[at] = pads[i];
    amounts[at + 1] = pads[i + axes.size()];
  }
  return {at::constant_pad_nd(x, amounts, fill)};
}

OpDef moving(std::string_view name, std::vector<std::string_view> attributes, RunFn run,
             size_t data_inputs = 1, Moves rule = {}) {
  return {.name = name,
          .attributes = std::move(attributes),
          .data_inputs = data_inputs,
          .run = run,
          .quant = rule,
          .statistics = Statistics{}};
}

}  // namespace

std::vector<OpDef> layout_ops() {
  return {
      moving("Identity", {}, run_identity),
      moving("Dropout", {"seed"}, run_dropout),
      moving("Reshape", {"allowzero"}, run_reshape),
      moving("Flatten", {"axis"}, run_flatten),
      moving("Transpose", {"perm"}, run_transpose),
      moving("Squeeze", {}, run_squeeze),
      moving("Unsqueeze", {}, run_unsqueeze),
      moving("Concat", {"axis"}, run_concat, kAllInputs),
      moving("Slice", {}, run_slice),
      moving("Pad", {"mode"}, run_pad, 1, Moves{.fill = 2}),
  };
}

}  // namespace octet
