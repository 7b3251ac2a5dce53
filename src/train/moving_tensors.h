#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

#include "engine/executor.h"
#include "train/trained_grids.h"

namespace octet {

/// All that training moves: the float constants of an executor ("weight:" and the value's name),
/// running statistics too, and the variables of grids ("grid:" and theirs). They share memory with
/// what is trained.
NamedTensors moving_tensors(const Graph& graph, const Executor& executor,
                            const TrainedGrids& grids);

NamedTensors copy_of(const NamedTensors& tensors);
/// Writes the numbers of `from` into the tensors of the same names of `to`.
void put(const NamedTensors& from, const NamedTensors& to);

}  // namespace octet
