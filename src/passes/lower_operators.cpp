#include <algorithm>
#include <array>

#include "passes/parts.h"
#include "passes/passes.h"

namespace octet {
namespace {

LowerFn find_lowering(std::string_view op) {
  for (auto lowerings :
       {arithmetic_lowerings, attention_lowerings, einsum_lowerings, lp_normalization_lowerings,
        normalization_lowerings, reduction_lowerings}) {
    const auto rows = lowerings();
    const auto it = std::ranges::find(rows, op, &OperatorLowering::op);
    if (it != rows.end()) return it->run;
  }
  return nullptr;
}

}  // namespace

size_t lower_operators(Graph& graph, const std::function<bool(const Node&)>& supported) {
  size_t lowered = 0;
  for (const NodeId id : std::vector(graph.order())) {
    const std::string op = graph.node(id).op;
    const LowerFn run = find_lowering(op);
    // A mask of minus infinity would ruin the grid of what it masks, even where Where is integer.
    if (run && (op == "Where" || !supported(graph.node(id))) && run(graph, id)) ++lowered;
  }
  return lowered;
}

}  // namespace octet
