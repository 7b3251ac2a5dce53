#pragma once

#include "api/stages.h"
#include "formats/stored/stored_tensors.h"

namespace octet {

/// The quantized network behind an INT8 file of ours: the float network, fused, lowered and placed
/// for what the file says that it was made for (`deployment_in`),
/// whose table and constants are the file's. Scales, zero points and tables are taken as they are
/// stored; constants become real numbers that `quantize` turns into the file's integers, each. A
/// file written from the result is the same file. Tables that TFLite's kernels make themselves are
/// computed. Throws Code::Model naming the first tensor that either side lacks, or that has another
/// shape or another part in the network: "is a file of another network".
QuantizedNetwork adopt(Graph graph, const StoredFile& file);

}  // namespace octet
