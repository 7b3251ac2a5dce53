#include "quant/divisors.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/where.h>

#include <algorithm>

namespace octet {

std::map<ValueId, float> find_divisors(const Graph& graph, const Placement& placement,
                                       const QuantTable& table) {
  std::map<ValueId, float> divisors;
  for (const auto& [result, chain] : placement.chains) {
    const bool divides = std::ranges::any_of(chain.nodes, [&](NodeId node) {
      const std::string& op = graph.node(node).op;
      return op == "Reciprocal" || op == "Div";
    });
    const QuantParams* params = table.find(chain.source);
    if (divides && params) divisors[chain.source] = params->scale[0] / 2;
  }
  return divisors;
}

at::Tensor away_from_zero(const at::Tensor& tensor, float least) {
  const at::Tensor least_of_sign = at::where(tensor.detach() < 0, -least, least).to(at::kFloat);
  return at::where(tensor.detach().abs() < least, least_of_sign, tensor);
}

}  // namespace octet
