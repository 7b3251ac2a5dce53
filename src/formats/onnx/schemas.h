#pragma once

namespace octet {

/// Makes libonnx register its operator schemas now. ONNX Runtime registers the same ones in its
/// own way, and whoever comes second complains on std::cerr: called before ONNX Runtime starts,
/// the complaints come at a known moment.
void register_onnx_schemas();

}  // namespace octet
