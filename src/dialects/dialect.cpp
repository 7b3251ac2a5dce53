#include "dialects/dialect.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/amax.h>

#include <algorithm>
#include <array>

#include "ops/op_def.h"

namespace octet {

const at::Tensor& IntegerCall::in(size_t index) const {
  static const at::Tensor absent;
  return index < inputs.size() ? inputs[index] : absent;
}

IntegerFn Dialect::find(std::string_view op, DType result) const {
  const auto& family = result == DType::Int16 ? wide_rows : rows;
  const auto it = std::ranges::find(family, op, &DialectRow::op);
  return it == family.end() ? nullptr : it->compute;
}

namespace {

// Floats hold every partial sum exactly up to 2^24.
constexpr double kFloatExact = 16777216.0;
// Below it 32-bit sums cannot overflow.
constexpr double kIntExact = 2147483648.0;

/// The largest sum of absolute weights that meet in one result.
double largest_sum(const Node& node, const at::Tensor& w) {
  if (w.numel() == 0) return 0;
  const at::Tensor size = w.abs().to(at::kDouble);
  if (node.op == "MatMul") return (w.dim() < 2 ? size.sum() : size.sum(-2).amax()).item<double>();
  const auto rank = static_cast<size_t>(w.dim());
  const int axis = std::get<Weighted>(op_of(node).quant.value).axis(node, rank);
  if (axis < 0) return size.sum().item<double>();
  return size.transpose(0, axis).flatten(1).sum(1).amax().item<double>();
}

/// The node's sums in floats of one width.
at::Tensor run(const Node& node, const at::Tensor& x, const at::Tensor& w, at::ScalarType width) {
  const std::array<at::Tensor, 2> inputs{x.to(width), w.to(width)};
  return op_of(node).run.value({node, inputs}).at(0);
}

/// Gemm may have a factor: it is part of a multiplier.
Node without_factor(const Node& node) {
  Node plain = node;
  plain.attributes.erase("alpha");
  return plain;
}

at::Tensor sums_without_factors(const Node& node, const at::Tensor& x, const at::Tensor& w) {
  const double weights = largest_sum(node, w);
  const double bound = x.numel() == 0 ? 0 : weights * x.abs().amax().item<double>();
  if (bound < kFloatExact) return run(node, x, w, at::kFloat).to(at::kInt);
  // In two parts, each exact in floats: much faster than doubles.
  constexpr int kPart = 16;
  if (bound < kFloatExact * kPart && weights * kPart < kFloatExact) {
    at::Tensor high = x.bitwise_right_shift(4);
    at::Tensor sums = run(node, high, w, at::kFloat).to(at::kInt).mul_(kPart);
    return sums.add_(run(node, x - high.mul_(kPart), w, at::kFloat).to(at::kInt));
  }
  const at::Tensor sums = run(node, x, w, at::kDouble);
  // Beyond 32 bits sums wrap around, as they do in integer kernels.
  return bound < kIntExact ? sums.to(at::kInt) : sums.to(at::kLong).to(at::kInt);
}

}  // namespace

at::Tensor sums_of_products(const Node& node, const at::Tensor& x, const at::Tensor& w) {
  if (!node.has("alpha")) return sums_without_factors(node, x, w);
  return sums_without_factors(without_factor(node), x, w);
}

at::Tensor wide_sums_of_products(const Node& node, const at::Tensor& x, const at::Tensor& w) {
  const Node plain = without_factor(node);
  // In two parts of 8 bits, each exact in floats: much faster than doubles.
  constexpr int kPart = 256;
  if (largest_sum(plain, w) * kPart >= kFloatExact) {
    return run(plain, x, w, at::kDouble).to(at::kLong);
  }
  const at::Tensor high = x.bitwise_right_shift(8);
  at::Tensor sums = run(plain, high, w, at::kFloat).to(at::kLong).mul_(kPart);
  return sums.add_(run(plain, x - high * kPart, w, at::kFloat).to(at::kLong));
}

}  // namespace octet
