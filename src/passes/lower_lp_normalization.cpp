#include <array>
#include <numeric>

#include "passes/parts.h"

namespace octet {
namespace {

/// Keeps the inverse of a row of zeros finite, so that the row stays 0; nothing to other rows.
constexpr float kSmallest = 1e-30F;

/// x / (sum |x|^p)^(1/p) over the last dimension, `count` long; p is 1 or 2.
ValueId lp_normalize_last(Parts& parts, ValueId x, int64_t count, int64_t p) {
  ValueId norm = p == 2 ? sum_squares_last(parts, "squares", x)
                        : sum_last(parts, "sum", parts.op("Abs", "size", {x}), count, 1);
  norm = parts.op("Add", "positive", {norm, parts.number("smallest", kSmallest)});
  if (p == 2) norm = parts.op("Sqrt", "root", {norm});
  return parts.op("Mul", "normalized", {x, parts.op("Reciprocal", "inverse", {norm})});
}

bool lower_lp_normalization(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  const Value& in = graph.value(node.inputs[0]);
  const auto rank = static_cast<int64_t>(in.shape.size());
  const int64_t p = node.integer("p", 2);
  if (!in.shape_known || rank == 0 || in.dtype != DType::Float32 || (p != 1 && p != 2))
    return false;
  const int64_t axis = (node.integer("axis", -1) + rank) % rank;
  const int64_t count = in.shape[static_cast<size_t>(axis)];
  if (count <= 0) return false;
  std::vector<int64_t> swap(static_cast<size_t>(rank));
  std::ranges::iota(swap, 0);
  std::swap(swap[static_cast<size_t>(axis)], swap.back());
  const bool last = axis == rank - 1;
  Parts parts(graph, id);
  ValueId x = node.inputs[0];
  if (!last) x = parts.op("Transpose", "turned", {x}, {{"perm", swap}});
  x = lp_normalize_last(parts, x, count, p);
  if (!last) parts.op("Transpose", "turned back", {x}, {{"perm", swap}});
  parts.finish();
  return true;
}

constexpr std::array kLpNormalizationLowerings{
    OperatorLowering{"LpNormalization", lower_lp_normalization}};

}  // namespace

std::span<const OperatorLowering> lp_normalization_lowerings() { return kLpNormalizationLowerings; }

}  // namespace octet
