#include "quant/added_bias.h"

#include <algorithm>

#include "engine/executor.h"
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

void take_from_bias(Graph& graph, Placement& placement, NodeId node, const at::Tensor& error) {
  const Node& held = graph.node(node);
  const double factor = held.op == "Gemm" ? held.number("beta", 1) : 1;
  const ValueId given = held.input(std::get<Weighted>(op_of(held).quant.value).bias);
  const ValueId known = given != kAbsent ? given : add_bias(graph, placement, node, error.numel());
  at::Tensor bias = to_torch(*graph.value(known).constant).to(at::kDouble);
  if (bias.numel() == 1) bias = bias.reshape({1}).expand({error.numel()});
  if (factor != 0) bias = bias - error.reshape(bias.sizes()) / factor;
  graph.value(known).constant = from_torch(bias.to(at::kFloat));
}

}  // namespace octet
