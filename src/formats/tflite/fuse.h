#pragma once

#include "formats/tflite/model.h"

namespace octet::lite {

/// Lets operators apply the RELU or RELU6 that alone reads their result, where both are on one
/// grid: the same integers, one operator less.
void fuse_activations(LiteModel& model);

}  // namespace octet::lite
