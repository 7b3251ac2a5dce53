#include <algorithm>
#include <map>

#include "engine/executor.h"
#include "ops/op_def.h"
#include "passes/passes.h"

namespace octet {

size_t remove_identity(Graph& graph) {
  size_t removed = 0;
  for (const NodeId id : std::vector(graph.order())) {
    const Node& node = graph.node(id);
    if (node.op != "Identity" && node.op != "Dropout") continue;
    const ValueId in = node.inputs[0];
    const ValueId out = node.outputs[0];
    if (graph.is_output(out)) {
      // A graph output keeps its name; an input or a constant cannot take it over.
      if (!graph.producer(in) || graph.is_output(in)) continue;
      graph.swap_names(in, out);
    }
    graph.replace_uses(out, in);
    graph.remove(id);
    ++removed;
  }
  return removed;
}

size_t fold_constants(Graph& graph) {
  size_t folded = 0;
  for (const NodeId id : std::vector(graph.order())) {
    const Node& node = graph.node(id);
    const bool constant = std::ranges::all_of(
        node.inputs, [&](ValueId in) { return in == kAbsent || graph.is_constant(in); });
    if (!constant || node.inputs.empty() || !find_op(node.op)) continue;
    if (std::ranges::any_of(node.outputs, [&](ValueId out) { return graph.is_output(out); })) {
      continue;
    }
    std::vector<Tensor> results = evaluate_constant(graph, node);
    for (size_t i = 0; i < results.size() && i < node.outputs.size(); ++i) {
      Value& value = graph.value(node.outputs[i]);
      value.dtype = results[i].dtype;
      value.shape = results[i].shape;
      value.shape_known = true;
      value.constant = std::move(results[i]);
    }
    graph.remove(id);
    ++folded;
  }
  return folded;
}

size_t unshare_constants(Graph& graph) {
  std::map<ValueId, int> reads;
  for (const NodeId id : graph.order()) {
    for (const ValueId in : graph.node(id).inputs) ++reads[in];
  }
  size_t copied = 0;
  for (const NodeId id : graph.order()) {
    const auto* rule = std::get_if<Weighted>(&op_of(graph.node(id)).quant.value);
    if (!rule) continue;
    for (const size_t index : {rule->weight, rule->bias}) {
      const ValueId value = graph.node(id).input(index);
      if (!graph.is_constant(value) || --reads[value] == 0) continue;
      const ValueId copy =
          graph.add_constant(graph.value(value).name, *graph.value(value).constant);
      graph.value(copy).fixed = graph.value(value).fixed;
      graph.value(copy).normalizes = graph.value(value).normalizes;
      graph.node(id).inputs[index] = copy;
      ++copied;
    }
  }
  return copied;
}

}  // namespace octet
