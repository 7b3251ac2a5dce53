#include "passes/passes.h"

namespace octet {

size_t open_batch(Graph& graph) {
  size_t opened = 0;
  for (const ValueId id : graph.inputs()) {
    Shape& shape = graph.value(id).shape;
    if (shape.size() < 2 || shape[0] < 0) continue;
    const int64_t batch = shape[0];
    shape[0] = -1;
    ++opened;
    for (const NodeId node_id : graph.order()) {
      const Node& node = graph.node(node_id);
      const Tensor* target = graph.constant_input(node, 1);
      if (node.op != "Reshape" || !target || node.integer("allowzero", 0) != 0) continue;
      Tensor moved = *target;
      const auto dims = moved.as<int64_t>();
      if (dims.size() < 2 || dims[0] != batch) continue;
      dims[0] = 0;  // as many as come in
      const ValueId fresh = graph.add_constant(graph.value(node.inputs[1]).name, std::move(moved));
      graph.node(node_id).inputs[1] = fresh;
    }
  }
  return opened;
}

}  // namespace octet
