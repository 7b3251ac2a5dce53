#pragma once

#include "formats/tflite/model.h"

namespace octet::lite {

/// Shortens chains of TRANSPOSE and RESHAPE: a chain that moves nothing becomes one RESHAPE or
/// disappears, others keep at most one TRANSPOSE. Drops what nobody reads. The numbers that flow
/// stay the same.
void optimize(LiteModel& model);

}  // namespace octet::lite
