#include "quant/added_bias.h"

#include <algorithm>

#include "ops/op_def.h"
#include "quant/stretches.h"

namespace octet {

bool takes_bias(const Node& node) {
  return node.op == "Conv" || node.op == "ConvTranspose" || node.op == "Gemm";
}

// A '/' would be a constant that a format makes by itself.
std::string added_bias_name(const Node& node) { return node.name + ".bias"; }

ValueId add_bias(Graph& graph, Placement& placement, NodeId node, int64_t channels) {
  const ValueId weight = weight_of(graph, node, placement);
  const ValueId bias =
      graph.add_constant(added_bias_name(graph.node(node)), Tensor(DType::Float32, {channels}));
  Node& held = graph.node(node);
  const size_t slot = std::get<Weighted>(op_of(held).quant.value).bias;
  held.inputs.resize(std::max(held.inputs.size(), slot + 1), kAbsent);
  held.inputs[slot] = bias;
  std::get<WeightGrid>(placement.groups[placement.group_of.at(weight)].rule).bias = bias;
  placement.group_of[bias] = placement.groups.size();
  placement.groups.push_back({{bias}, BiasGrid{held.inputs[0], weight}});
  return bias;
}

}  // namespace octet
