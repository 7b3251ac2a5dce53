#pragma once

#include "formats/tflite/model.h"

namespace octet::lite {

/// The FlatBuffers encoding of the list, the same bytes for the same list. Throws Code::Runtime
/// when the encoding does not verify (a file of more than 2 GB).
std::vector<std::byte> serialize(const LiteModel& model);

}  // namespace octet::lite
