#include "quant/ratio.h"

#include <algorithm>

#include "base/fail.h"
#include "ops/op_def.h"

namespace octet {
namespace {

/// The value on whose grid the node's results are: its own, or that of the activation behind it.
ValueId result_of(const Graph& graph, const QuantTable& table, const Node& node) {
  const ValueId out = node.outputs[0];
  if (table.find(out)) return out;
  const auto users = graph.users(out);
  return users.size() == 1 ? graph.node(users[0]).outputs[0] : kAbsent;
}

double largest_scale(const QuantTable& table, ValueId id) {
  const QuantParams* grid = id == kAbsent ? nullptr : table.find(id);
  return grid ? static_cast<double>(std::ranges::max(grid->scale)) : 0;
}

/// The step of what the node computes before it is re-quantized; 0 where it does not re-quantize.
double step_of(const QuantTable& table, const Node& node) {
  const double first = largest_scale(table, node.input(0));
  const double second = largest_scale(table, node.input(1));
  if (node.op == "Add" || node.op == "Sub") return std::max(first, second);
  const bool product = std::holds_alternative<Weighted>(op_of(node).quant.value) ||
                       node.op == "Mul" || node.op == "PRelu";
  return product && second > 0 ? first * second : first;
}

void check_node(const Graph& graph, const QuantTable& table, const Node& node) {
  const ValueId result = result_of(graph, table, node);
  const double out = largest_scale(table, result);
  if (out == 0 || table.find(result)->origin == Origin::Derived) return;
  const bool sum = node.op == "Add" || node.op == "Sub";
  const double ratio = step_of(table, node) / out;
  if (sum ? ratio < kLargestSumRatio : ratio <= kLargestRatio) return;
  fail(Code::Unsupported,
       "the value '{}' has the scale {:.3g}, {:.3g} times finer than what {} computes; a "
       "fixed-point "
       "target takes {} {:.0f}: the value should be larger, or its grid coarser",
       graph.value(result).name, out, ratio, describe(node), sum ? "less than" : "at most",
       sum ? kLargestSumRatio : kLargestRatio);
}

}  // namespace

void check_ratios(const Graph& graph, const QuantTable& table, const TargetSet& targets) {
  if (std::ranges::none_of(targets.profiles(), &TargetProfile::fixed_point)) return;
  for (const NodeId id : graph.order()) {
    const bool fixed_point = !table.looked_up(id) && !table.in_float().contains(id);
    if (fixed_point) check_node(graph, table, graph.node(id));
  }
}

}  // namespace octet
