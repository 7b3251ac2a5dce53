#include "formats/onnx/tensor_proto.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "base/fail.h"
#include "base/text.h"
#include "formats/onnx/external_data.h"

namespace octet {
namespace {

constexpr std::array<std::pair<DType, int32_t>, 11> kTypes{{
    {DType::Float32, onnx::TensorProto::FLOAT},
    {DType::Float64, onnx::TensorProto::DOUBLE},
    {DType::Float16, onnx::TensorProto::FLOAT16},
    {DType::BFloat16, onnx::TensorProto::BFLOAT16},
    {DType::Int8, onnx::TensorProto::INT8},
    {DType::UInt8, onnx::TensorProto::UINT8},
    {DType::Int16, onnx::TensorProto::INT16},
    {DType::UInt16, onnx::TensorProto::UINT16},
    {DType::Int32, onnx::TensorProto::INT32},
    {DType::Int64, onnx::TensorProto::INT64},
    {DType::Bool, onnx::TensorProto::BOOL},
}};

/// Copies a repeated field, narrowing to the element type.
template <class T, class Field>
void copy_field(const Field& field, Tensor& tensor, const onnx::TensorProto& proto) {
  if (static_cast<int64_t>(field.size()) != tensor.size()) {
    fail(Code::Model, "the tensor '{}' holds {} elements, its shape wants {}", proto.name(),
         field.size(), tensor.size());
  }
  auto* out = reinterpret_cast<T*>(tensor.bytes.data());
  std::ranges::transform(field, out, [](auto element) { return static_cast<T>(element); });
}

void read_typed_fields(const onnx::TensorProto& proto, Tensor& tensor) {
  switch (tensor.dtype) {
    case DType::Float32: return copy_field<float>(proto.float_data(), tensor, proto);
    case DType::Float64: return copy_field<double>(proto.double_data(), tensor, proto);
    case DType::Int64: return copy_field<int64_t>(proto.int64_data(), tensor, proto);
    case DType::Int32: return copy_field<int32_t>(proto.int32_data(), tensor, proto);
    case DType::Float16:
    case DType::BFloat16:
    case DType::UInt16: return copy_field<uint16_t>(proto.int32_data(), tensor, proto);
    case DType::Int16: return copy_field<int16_t>(proto.int32_data(), tensor, proto);
    case DType::Int8: return copy_field<int8_t>(proto.int32_data(), tensor, proto);
    case DType::UInt8:
    case DType::Bool: return copy_field<uint8_t>(proto.int32_data(), tensor, proto);
  }
}

std::string type_name(int32_t type) {
  return onnx::TensorProto::DataType_Name(static_cast<onnx::TensorProto::DataType>(type));
}

}  // namespace

int32_t onnx_type(DType type) {
  return std::ranges::find(kTypes, type, &std::pair<DType, int32_t>::first)->second;
}

DType dtype_from_onnx(int32_t type, std::string_view what) {
  const auto it = std::ranges::find(kTypes, type, &std::pair<DType, int32_t>::second);
  if (it != kTypes.end()) return it->first;
  if (type == onnx::TensorProto::UNDEFINED || !onnx::TensorProto::DataType_IsValid(type)) {
    fail(Code::Model, "{} has the element type {}, which ONNX does not know", what, type);
  }
  std::vector<std::string> known;
  for (const auto& [ours, theirs] : kTypes) known.push_back(type_name(theirs));
  fail(Code::Unsupported,
       "{} has the element type {}, which octet does not support; wanted one of {}", what,
       type_name(type), join(known));
}

uint64_t byte_count(const onnx::TensorProto& proto) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / 16;
  const Shape shape(proto.dims().begin(), proto.dims().end());
  int64_t count = 1;
  for (const int64_t dim : shape) {
    if (dim < 0) fail(Code::Model, "the tensor '{}' has a negative dimension", proto.name());
    if (dim != 0 && count > kMost / dim) {
      fail(Code::Model, "the tensor '{}' has the shape {}: too many elements", proto.name(),
           shape_text(shape));
    }
    count *= dim;
  }
  const DType type =
      dtype_from_onnx(proto.data_type(), std::format("the tensor '{}'", proto.name()));
  return static_cast<uint64_t>(count) * size_of(type);
}

Tensor read_tensor(const onnx::TensorProto& proto, const std::filesystem::path& folder) {
  const uint64_t wanted = byte_count(proto);
  const auto allocate = [&] {
    return Tensor(dtype_from_onnx(proto.data_type()),
                  Shape(proto.dims().begin(), proto.dims().end()));
  };
  // The size is checked against the data before memory is asked for.
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
    const ExternalData data(proto, folder, wanted);
    Tensor tensor = allocate();
    data.read(tensor.bytes);
    return tensor;
  }
  if (proto.has_raw_data() && proto.raw_data().size() != wanted) {
    fail(Code::Model, "the tensor '{}' holds {} bytes, its shape wants {}", proto.name(),
         proto.raw_data().size(), wanted);
  }
  if (!proto.has_raw_data() && wanted > 16 * (proto.ByteSizeLong() + 16)) {
    fail(Code::Model, "the tensor '{}' holds less data than its shape wants", proto.name());
  }
  Tensor tensor = allocate();
  if (proto.has_raw_data()) {
    std::memcpy(tensor.bytes.data(), proto.raw_data().data(), tensor.bytes.size());
  } else {
    read_typed_fields(proto, tensor);
  }
  return tensor;
}

void write_tensor(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto) {
  proto.set_name(name);
  proto.set_data_type(onnx_type(tensor.dtype));
  for (const int64_t dim : tensor.shape) proto.add_dims(dim);
  proto.set_raw_data(tensor.bytes.data(), tensor.bytes.size());
}

}  // namespace octet
