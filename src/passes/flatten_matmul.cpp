#include <optional>
#include <vector>

#include "passes/parts.h"
#include "passes/passes.h"

namespace octet {
namespace {

/// The one node that reads the value; nullptr where there are more, or it is an output.
const Node* only_reader(const Graph& graph, ValueId value, NodeId& id) {
  const auto users = graph.users(value);
  if (users.size() != 1 || graph.is_output(value)) return nullptr;
  id = users[0];
  return &graph.node(id);
}

/// The bias that `add` adds to the product, a constant with one number per column; kAbsent if none.
ValueId row_bias(const Graph& graph, const Node& add, ValueId product, int64_t columns) {
  if (add.op != "Add") return kAbsent;
  const ValueId other = add.inputs[0] == product ? add.inputs[1] : add.inputs[0];
  if (!graph.is_constant(other)) return kAbsent;
  const Tensor& bias = *graph.value(other).constant;
  const bool row = bias.size() == columns && !bias.shape.empty() && bias.shape.back() == columns;
  return row && bias.shape.size() <= graph.value(product).shape.size() ? other : kAbsent;
}

bool flatten(Graph& graph, NodeId id) {
  const Node matmul = graph.node(id);
  const Tensor* weight = graph.constant_input(matmul, 1);
  const Value& in = graph.value(matmul.inputs[0]);
  if (!weight || weight->shape.size() != 2 || in.shape.size() < 2 || in.constant) return false;
  const int64_t rows = weight->shape[0];
  const int64_t columns = weight->shape[1];
  std::vector<int64_t> whole(in.shape.begin(), in.shape.end() - 1);
  whole.push_back(columns);
  const bool deep = in.shape.size() > 2;

  // The bias, and an activation that the sum can take in, come before the shape.
  NodeId last = id;
  NodeId next = 0;
  const Node* reader = only_reader(graph, matmul.outputs[0], next);
  const ValueId bias = reader ? row_bias(graph, *reader, matmul.outputs[0], columns) : kAbsent;
  std::optional<Tensor> row;
  if (bias != kAbsent) {
    row = *graph.value(bias).constant;
    row->shape = {columns};
    last = next;
    reader = only_reader(graph, graph.node(last).outputs[0], next);
  }
  const bool clipped = reader && reader->op == "Relu";
  if (clipped) last = next;

  Parts parts(graph, last);
  ValueId x = matmul.inputs[0];
  if (deep) x = parts.op("Reshape", "rows", {x, parts.list("rows shape", {-1, rows})});
  std::vector<ValueId> inputs{x, matmul.inputs[1]};
  if (row) inputs.push_back(parts.parameter("bias", std::move(*row)));
  x = parts.op("Gemm", "product", std::move(inputs));
  if (clipped) x = parts.op("Relu", "clipped", {x});
  if (deep) parts.op("Reshape", "whole", {x, parts.list("shape", whole)});
  parts.finish();
  return true;
}

}  // namespace

size_t flatten_matmul(Graph& graph) {
  size_t flattened = 0;
  for (const NodeId id : std::vector(graph.order())) {
    if (graph.node(id).op == "MatMul" && flatten(graph, id)) ++flattened;
  }
  graph.remove_dead();
  return flattened;
}

}  // namespace octet
