#include "train/moving_tensors.h"

#include <ATen/core/grad_mode.h>

namespace octet {

NamedTensors moving_tensors(const Graph& graph, const Executor& executor,
                            const TrainedGrids& grids) {
  NamedTensors tensors;
  for (const auto& [id, saved] : executor.snapshot()) {
    if (saved.scalar_type() != at::kFloat) continue;
    tensors.emplace("weight:" + graph.value(id).name, executor.constant(id));
  }
  for (const auto& [name, variable] : grids.variables()) tensors.emplace("grid:" + name, variable);
  for (const auto& [name, seen] : grids.statistics()) tensors.emplace("seen:" + name, seen);
  return tensors;
}

NamedTensors copy_of(const NamedTensors& tensors) {
  NamedTensors copies;
  for (const auto& [name, tensor] : tensors) copies.emplace(name, tensor.detach().clone());
  return copies;
}

void put(const NamedTensors& from, const NamedTensors& to) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : from) to.at(name).copy_(tensor);
}

}  // namespace octet
