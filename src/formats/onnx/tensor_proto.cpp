#include "formats/onnx/tensor_proto.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <fstream>

#include "base/fail.h"

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

int64_t parse_integer(const std::string& text, const onnx::TensorProto& proto) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 0) {
    fail(Code::Model, "the tensor '{}': its external data has the offset or length '{}'",
         proto.name(), text);
  }
  return number;
}

struct ExternalPart {
  std::filesystem::path path;
  int64_t offset = 0;
};

ExternalPart external_part(const onnx::TensorProto& proto, const std::filesystem::path& folder) {
  ExternalPart part;
  std::string location;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") part.offset = parse_integer(entry.value(), proto);
  }
  const std::filesystem::path given(location);
  const auto root = std::filesystem::weakly_canonical(folder.empty() ? "." : folder);
  part.path = std::filesystem::weakly_canonical(root / given);
  const auto inside = std::ranges::mismatch(root, part.path);
  if (location.empty() || given.is_absolute() || inside.in1 != root.end()) {
    fail(Code::Model, "the tensor '{}': its external data '{}' lies outside the model's folder",
         proto.name(), location);
  }
  return part;
}

void read_external(const onnx::TensorProto& proto, const std::filesystem::path& folder,
                   std::span<std::byte> out) {
  const ExternalPart part = external_part(proto, folder);
  std::ifstream file(part.path, std::ios::binary);
  if (!file) {
    fail(Code::Model, "the tensor '{}': its external data {} cannot be read", proto.name(),
         part.path.string());
  }
  file.seekg(part.offset);
  file.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
  if (!file || file.gcount() != static_cast<std::streamsize>(out.size())) {
    fail(Code::Model, "the tensor '{}': its external data {} is too short: wanted {} bytes from {}",
         proto.name(), part.path.string(), out.size(), part.offset);
  }
}

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

}  // namespace

int32_t onnx_type(DType type) {
  return std::ranges::find(kTypes, type, &std::pair<DType, int32_t>::first)->second;
}

DType dtype_from_onnx(int32_t type) {
  const auto it = std::ranges::find(kTypes, type, &std::pair<DType, int32_t>::second);
  if (it == kTypes.end()) {
    fail(Code::Unsupported, "tensors of ONNX type {} ({}) are not supported", type,
         onnx::TensorProto::DataType_Name(static_cast<onnx::TensorProto::DataType>(type)));
  }
  return it->first;
}

Tensor read_tensor(const onnx::TensorProto& proto, const std::filesystem::path& folder) {
  for (const int64_t dim : proto.dims()) {
    if (dim < 0) fail(Code::Model, "the tensor '{}' has a negative dimension", proto.name());
  }
  Shape shape(proto.dims().begin(), proto.dims().end());
  const DType type = dtype_from_onnx(proto.data_type());
  // Data inside the message bounds the size before memory is asked for.
  const auto wanted = static_cast<size_t>(element_count(shape)) * size_of(type);
  if (proto.has_raw_data() && proto.raw_data().size() != wanted) {
    fail(Code::Model, "the tensor '{}' holds {} bytes, its shape wants {}", proto.name(),
         proto.raw_data().size(), wanted);
  }
  const bool external = proto.data_location() == onnx::TensorProto::EXTERNAL;
  if (external) {
    const ExternalPart part = external_part(proto, folder);
    std::error_code error;
    const auto size = std::filesystem::file_size(part.path, error);
    if (error || static_cast<uintmax_t>(part.offset) + wanted > size) {
      fail(Code::Model,
           "the tensor '{}': its external data {} is missing or too short: wanted {} "
           "bytes from {}",
           proto.name(), part.path.string(), wanted, part.offset);
    }
  } else if (!proto.has_raw_data() && wanted > 16 * (proto.ByteSizeLong() + 16)) {
    fail(Code::Model, "the tensor '{}' holds less data than its shape wants", proto.name());
  }
  Tensor tensor(type, std::move(shape));
  if (external) {
    read_external(proto, folder, tensor.bytes);
  } else if (proto.has_raw_data()) {
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
