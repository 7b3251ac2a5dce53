#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "graph/tensor.h"

namespace onnx {
class TensorProto;
}

namespace octet {

/// ONNX's number of an element type, and back. Throws Code::Unsupported for types octet lacks and
/// Code::Model for numbers that stand for none, naming `what` has the type ("the tensor 'w'").
int32_t onnx_type(DType type);
DType dtype_from_onnx(int32_t type, std::string_view what = "a tensor");

/// The bytes that the tensor's shape and type want. Throws as `dtype_from_onnx` does, and
/// Code::Model: a negative dimension, more elements than can be counted.
uint64_t byte_count(const onnx::TensorProto& proto);

/// The tensor's data, from the message itself or from a file in `folder`. Throws Code::Model naming
/// the tensor: data missing or short, a path that leaves the folder (external_data.h).
Tensor read_tensor(const onnx::TensorProto& proto, const std::filesystem::path& folder);

/// The message that holds the tensor, as raw data.
void write_tensor(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto);

}  // namespace octet
