#pragma once

#include <filesystem>

#include "graph/tensor.h"

namespace onnx {
class TensorProto;
}

namespace octet {

/// ONNX's number of an element type, and back. Throws Code::Unsupported for types octet lacks.
int32_t onnx_type(DType type);
DType dtype_from_onnx(int32_t type);

/// The tensor's data, from the message itself or from a file in `folder`. Throws Code::Model naming
/// the tensor: data missing or short, a path that leaves the folder.
Tensor read_tensor(const onnx::TensorProto& proto, const std::filesystem::path& folder);

/// The message that holds the tensor, as raw data.
void write_tensor(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto);

}  // namespace octet
