#pragma once

#include <c10/core/ScalarType.h>

#include "graph/graph.h"

namespace octet {

/// LibTorch's name of an element type, and back. Throws Code::Unsupported for types that the graph
/// lacks.
at::ScalarType scalar_type(DType type);
DType dtype_from(at::ScalarType type);

/// The element type that an attribute (else `fallback`) gives as a number of onnx.proto
/// (TensorProto.DataType). Throws Code::Unsupported naming the node for other types.
at::ScalarType scalar_type_of(const Node& node, std::string_view attribute, int64_t fallback);

}  // namespace octet
