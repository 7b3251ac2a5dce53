#pragma once

#include "formats/tflite/model.h"

namespace octet::lite {

/// Gives every operator of 16-bit integers, and of float activations with integer weights, the
/// version that knows them; sums and differences of 16 bits get the arithmetic of any scale (not of
/// powers of two). Leaves all others as they are.
void raise_versions(LiteModel& model);

}  // namespace octet::lite
