#include "runtime/onnxruntime_ends.h"

#include <algorithm>
#include <cstring>
#include <sstream>

#include "base/fail.h"

namespace octet {
namespace {

DType type_of(const Ort::TypeInfo& info, const std::filesystem::path& path, std::string_view what) {
  if (info.GetONNXType() == ONNX_TYPE_TENSOR) {
    switch (info.GetTensorTypeAndShapeInfo().GetElementType()) {
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT: return DType::Float32;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8: return DType::Int8;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8: return DType::UInt8;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
        if (what == "input") return DType::Int64;
        break;
      default: break;
    }
  }
  fail(Code::Model, "{}: its {} is not a float32 tensor", path.string(), what);
}

Grid grid_of(const Ort::Session& session, const std::string& name, DType type,
             const std::filesystem::path& path) {
  if (type != DType::Int8 && type != DType::UInt8) return {};
  const std::string key = "octet.grid:" + name;
  Ort::AllocatorWithDefaultOptions allocator;
  const Ort::AllocatedStringPtr text =
      session.GetModelMetadata().LookupCustomMetadataMapAllocated(key.c_str(), allocator);
  Grid grid{.scale = 0,
            .zero_point = 0,
            .low = static_cast<int32_t>(lowest(type)),
            .high = static_cast<int32_t>(highest(type))};
  std::istringstream words(text ? text.get() : "");
  if (!(words >> grid.scale >> grid.zero_point) || !(grid.scale > 0)) {
    fail(Code::Model,
         "{}: '{}' is {}, and the file's metadata do not say on which grid; wanted float32, or "
         "an entry '{}' with scale and zero point",
         path.string(), name, name_of(type), key);
  }
  return grid;
}

OnnxRuntimeEnd end_of(const Ort::Session& session, std::string name, const Ort::TypeInfo& info,
                      const std::filesystem::path& path, std::string_view what) {
  OnnxRuntimeEnd end{.name = std::move(name), .type = type_of(info, path, what), .shape = {}};
  end.shape = info.GetTensorTypeAndShapeInfo().GetShape();
  end.grid = grid_of(session, end.name, end.type, path);
  return end;
}

ONNXTensorElementDataType end_element_type(DType type) {
  switch (type) {
    case DType::Int8: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8;
    case DType::UInt8: return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8;
    case DType::Int64: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
    default: return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
  }
}

template <class Convert>
std::vector<std::byte> converted(std::span<const float> images, Convert convert) {
  using Stored = decltype(convert(0.0F));
  std::vector<std::byte> bytes(images.size() * sizeof(Stored));
  for (size_t i = 0; i < images.size(); ++i) {
    const Stored number = convert(images[i]);
    std::memcpy(&bytes[i * sizeof(Stored)], &number, sizeof(Stored));
  }
  return bytes;
}

std::vector<std::byte> stored(std::span<const float> images, const OnnxRuntimeEnd& end) {
  switch (end.type) {
    case DType::Int8:
      return converted(images, [&](float v) { return static_cast<int8_t>(quantize(v, end.grid)); });
    case DType::UInt8:
      return converted(images,
                       [&](float v) { return static_cast<uint8_t>(quantize(v, end.grid)); });
    case DType::Int64: return converted(images, [](float v) { return static_cast<int64_t>(v); });
    default: return {};
  }
}

template <class T>
void append_dequantized(const Ort::Value& made, const Grid& grid, size_t count,
                        std::vector<float>& out) {
  for (const T integer : std::span(made.GetTensorData<T>(), count)) {
    out.push_back(dequantize(integer, grid));
  }
}

}  // namespace

OnnxRuntimeEnd input_end(const Ort::Session& session, const std::filesystem::path& path) {
  Ort::AllocatorWithDefaultOptions allocator;
  return end_of(session, session.GetInputNameAllocated(0, allocator).get(),
                session.GetInputTypeInfo(0), path, "input");
}

OnnxRuntimeEnd output_end(const Ort::Session& session, const std::filesystem::path& path) {
  Ort::AllocatorWithDefaultOptions allocator;
  return end_of(session, session.GetOutputNameAllocated(0, allocator).get(),
                session.GetOutputTypeInfo(0), path, "output");
}

StoredImages::StoredImages(std::span<const float> images, const OnnxRuntimeEnd& end,
                           const Shape& shape)
    : bytes_(stored(images, end)) {
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  // ONNX Runtime's interface lacks const; inputs are not written.
  void* data = bytes_.data();
  if (end.type == DType::Float32) data = const_cast<float*>(images.data());
  const size_t size = end.type == DType::Float32 ? images.size_bytes() : bytes_.size();
  value_ = Ort::Value::CreateTensor(memory, data, size, shape.data(), shape.size(),
                                    end_element_type(end.type));
}

void append_reals(const Ort::Value& made, const OnnxRuntimeEnd& end, std::vector<float>& out) {
  const size_t count = made.GetTensorTypeAndShapeInfo().GetElementCount();
  switch (end.type) {
    case DType::Int8: return append_dequantized<int8_t>(made, end.grid, count, out);
    case DType::UInt8: return append_dequantized<uint8_t>(made, end.grid, count, out);
    default: out.append_range(std::span(made.GetTensorData<float>(), count));
  }
}

}  // namespace octet
