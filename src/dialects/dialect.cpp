#include "dialects/dialect.h"

#include <ATen/ops/amax.h>

#include <algorithm>
#include <array>

#include "ops/op_def.h"

namespace octet {

const at::Tensor& IntegerCall::in(size_t index) const {
  static const at::Tensor absent;
  return index < inputs.size() ? inputs[index] : absent;
}

IntegerFn Dialect::find(std::string_view op) const {
  const auto it = std::ranges::find(rows, op, &DialectRow::op);
  return it == rows.end() ? nullptr : it->compute;
}

namespace {

/// The largest sum of absolute weights that meet in one result.
double largest_sum(const Node& node, const at::Tensor& w) {
  const at::Tensor size = w.abs().to(at::kDouble);
  if (node.op == "MatMul") return (w.dim() < 2 ? size.sum() : size.sum(-2).amax()).item<double>();
  const int axis = std::get<Weighted>(op_of(node).quant.value).axis(node, static_cast<size_t>(w.dim()));
  return size.transpose(0, axis).flatten(1).sum(1).amax().item<double>();
}

}  // namespace

at::Tensor sums_of_products(const Node& node, const at::Tensor& x, const at::Tensor& w) {
  // Floats hold every partial sum exactly up to 2^24, doubles up to 2^53.
  constexpr double kFloatExact = 16777216.0;
  const double bound =
      x.numel() == 0 || w.numel() == 0 ? 0 : largest_sum(node, w) * x.abs().amax().item<double>();
  const at::ScalarType wide = bound < kFloatExact ? at::kFloat : at::kDouble;
  const std::array<at::Tensor, 2> inputs{x.to(wide), w.to(wide)};
  return op_of(node).run.value({node, inputs}).at(0).to(at::kInt);
}

}  // namespace octet
