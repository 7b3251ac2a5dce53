#include "quant/simulate.h"

#include "graph/quantize_tensor.h"
#include "quant/fake_quantize.h"

namespace octet {
namespace {

at::Tensor round_activation(ValueId id, const at::Tensor& tensor, const Placement& placement,
                            const QuantTable& table) {
  const QuantParams* params = table.find(id);
  return params && !placement.exact.contains(id) ? fake_quantize(tensor, *params) : tensor;
}

}  // namespace

Simulation::Simulation(const Graph& graph, const Placement& placement, const QuantTable& table)
    : placement_(placement), table_(table) {
  for (const auto& [id, params] : table.values()) {
    const auto& real = graph.value(id).constant;
    if (!real) continue;
    at::Tensor tensor = to_torch(dequantize(quantize(*real, params), params));
    if (tensor.dim() == 4) tensor = tensor.contiguous(at::MemoryFormat::ChannelsLast);
    constants_.emplace(id, tensor);
  }
}

at::Tensor Simulation::constant(ValueId id, const at::Tensor& tensor) {
  const auto it = constants_.find(id);
  return it == constants_.end() ? tensor : it->second;
}

at::Tensor Simulation::activation(ValueId id, const at::Tensor& tensor) {
  return round_activation(id, tensor, placement_, table_);
}

}  // namespace octet
