#pragma once

#include <string>

#include "train/checkpoint.h"
#include "train/trained_grids.h"

namespace octet {

/// Adds copies of tensors to a checkpoint, each under the prefix and its name.
void keep_tensors(const std::string& prefix, const NamedTensors& tensors, Checkpoint& checkpoint);

/// Writes what a checkpoint holds under the prefix into the tensors. Throws Code::Data naming a
/// tensor that it lacks, or has in another shape; `place` is how the message calls it.
void restore_tensors(const std::string& prefix, const Checkpoint& checkpoint,
                     const NamedTensors& tensors, const std::string& place);

}  // namespace octet
