#include <onnxruntime_cxx_api.h>
#include <unistd.h>

#include <algorithm>
#include <ranges>
#include <span>
#include <sstream>

#include "base/fail.h"
#include "base/text.h"
#include "formats/summary.h"
#include "kernels/quantize.h"
#include "runtime/onnxruntime_environment.h"
#include "runtime/session.h"
#include "runtime/versions.h"

namespace octet {
namespace {

/// ONNX Runtime's exceptions as ours.
template <class Work>
auto translated(const std::filesystem::path& path, Code code, Work work) {
  try {
    return work();
  } catch (const Ort::Exception& error) {
    fail(code, "{}: ONNX Runtime refuses it: {}", path.string(), first_line(error.what()));
  }
}

class OnnxRuntimeSession final : public Session {
 public:
  OnnxRuntimeSession(std::filesystem::path path, int threads) : path_(std::move(path)) {
    session_ = Ort::Session(onnxruntime_environment(), path_.c_str(), onnxruntime_options(threads));
    if (session_.GetInputCount() != 1 || session_.GetOutputCount() != 1) {
      fail(Code::Model,
           "{} has {} inputs and {} outputs; wanted one input of images and one output "
           "of logits",
           path_.string(), session_.GetInputCount(), session_.GetOutputCount());
    }
    Ort::AllocatorWithDefaultOptions allocator;
    input_name_ = session_.GetInputNameAllocated(0, allocator).get();
    output_name_ = session_.GetOutputNameAllocated(0, allocator).get();
    input_type_ = type_of(session_.GetInputTypeInfo(0), "input");
    output_type_ = type_of(session_.GetOutputTypeInfo(0), "output");
    input_shape_ = session_.GetInputTypeInfo(0).GetTensorTypeAndShapeInfo().GetShape();
    output_shape_ = session_.GetOutputTypeInfo(0).GetTensorTypeAndShapeInfo().GetShape();
    input_grid_ = grid_of(input_name_, input_type_);
    output_grid_ = grid_of(output_name_, output_type_);
    const bool open = std::ranges::any_of(output_shape_ | std::views::drop(1),
                                          [](int64_t dim) { return dim <= 0; });
    if (output_shape_.size() < 2 || open || input_shape_.size() < 2) {
      fail(Code::Model, "{}: its output has the shape {}; wanted logits, batch x classes",
           path_.string(), shape_text(output_shape_));
    }
  }

  std::string runtime() const override { return "ONNX Runtime " + onnxruntime_version(); }
  Shape image_shape() const override { return {input_shape_.begin() + 1, input_shape_.end()}; }
  Shape output_shape() const override { return {output_shape_.begin() + 1, output_shape_.end()}; }

  std::vector<float> run(std::span<const float> images, int64_t count) override {
    return translated(path_, Code::Runtime, [&] { return run_parts(images, count); });
  }

  std::vector<OperatorUse> operators() override {
    return translated(path_, Code::Runtime, [&] { return optimized_operators(); });
  }

 private:
  std::vector<float> run_parts(std::span<const float> images, int64_t count) {
    // A file with a fixed batch is run in parts of that size.
    const int64_t part = input_shape_[0] > 0 ? input_shape_[0] : count;
    const auto image_size = static_cast<size_t>(element_count(image_shape()));
    std::vector<float> logits;
    for (int64_t done = 0; done < count; done += part) {
      if (done + part > count) {
        fail(Code::Runtime, "{} takes {} images at a time; {} cannot be divided so", path_.string(),
             part, count);
      }
      const auto offset = static_cast<size_t>(done) * image_size;
      append(logits, images.subspan(offset, static_cast<size_t>(part) * image_size), part);
    }
    return logits;
  }

  std::vector<OperatorUse> optimized_operators() const {
    std::string file = (std::filesystem::temp_directory_path() / "octet-XXXXXX.onnx").string();
    const int fd = ::mkstemps(file.data(), 5);
    if (fd < 0) fail(Code::Io, "cannot write a temporary file {}", file);
    ::close(fd);
    struct Removed {
      std::filesystem::path path;
      ~Removed() {
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
      }
    } removed{file};
    Ort::SessionOptions options = onnxruntime_options(1);
    options.SetOptimizedModelFilePath(file.c_str());
    const Ort::Session saved(onnxruntime_environment(), path_.c_str(), options);
    std::vector<OperatorUse> uses;
    for (FileOperator& node : summarize_onnx(file).operators) {
      uses.push_back({std::move(node.op), std::move(node.node), std::move(node.type)});
    }
    return uses;
  }

  DType type_of(const Ort::TypeInfo& info, std::string_view what) const {
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
    fail(Code::Model, "{}: its {} is not a float32 tensor", path_.string(), what);
  }

  /// The grid of an end of integers, which the file's metadata state (formats/onnx/onnx_file.h).
  Grid grid_of(const std::string& end, DType type) const {
    if (type != DType::Int8 && type != DType::UInt8) return {};
    const std::string key = "octet.grid:" + end;
    Ort::AllocatorWithDefaultOptions allocator;
    const Ort::AllocatedStringPtr text =
        session_.GetModelMetadata().LookupCustomMetadataMapAllocated(key.c_str(), allocator);
    Grid grid{.scale = 0,
              .zero_point = 0,
              .low = static_cast<int32_t>(lowest(type)),
              .high = static_cast<int32_t>(highest(type))};
    std::istringstream words(text ? text.get() : "");
    if (!(words >> grid.scale >> grid.zero_point) || !(grid.scale > 0)) {
      fail(Code::Model,
           "{}: '{}' is {}, and the file's metadata do not say on which grid; wanted float32, or "
           "an entry '{}' with scale and zero point",
           path_.string(), end, name_of(type), key);
    }
    return grid;
  }

  void append(std::vector<float>& logits, std::span<const float> images, int64_t count) {
    Shape shape = input_shape_;
    shape[0] = count;
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    const std::vector<std::byte> data = stored(images);
    // ONNX Runtime's interface lacks const; inputs are not written.
    const Ort::Value input =
        Ort::Value::CreateTensor(memory, const_cast<std::byte*>(data.data()), data.size(),
                                 shape.data(), shape.size(), element_type(input_type_));
    const char* in = input_name_.c_str();
    const char* out = output_name_.c_str();
    const auto results = session_.Run(Ort::RunOptions{nullptr}, &in, &input, 1, &out, 1);
    const auto total = static_cast<size_t>(count * class_count());
    switch (output_type_) {
      case DType::Int8: append_reals<int8_t>(results[0], total, logits); break;
      case DType::UInt8: append_reals<uint8_t>(results[0], total, logits); break;
      default: {
        const auto* values = results[0].GetTensorData<float>();
        logits.insert(logits.end(), values, values + total);
      }
    }
  }

  template <class T>
  void append_reals(const Ort::Value& result, size_t count, std::vector<float>& logits) const {
    for (const T integer : std::span(result.GetTensorData<T>(), count)) {
      logits.push_back(dequantize(integer, output_grid_));
    }
  }

  static ONNXTensorElementDataType element_type(DType type) {
    switch (type) {
      case DType::Int8: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8;
      case DType::UInt8: return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8;
      case DType::Int64: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
      default: return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
    }
  }

  /// The images as the file takes them.
  std::vector<std::byte> stored(std::span<const float> images) const {
    const auto as = [&](auto convert) {
      std::vector<decltype(convert(0.0F))> held(images.size());
      std::ranges::transform(images, held.begin(), convert);
      const auto bytes = std::as_bytes(std::span(held));
      return std::vector<std::byte>(bytes.begin(), bytes.end());
    };
    switch (input_type_) {
      case DType::Int8:
        return as([&](float real) { return static_cast<int8_t>(quantize(real, input_grid_)); });
      case DType::UInt8:
        return as([&](float real) { return static_cast<uint8_t>(quantize(real, input_grid_)); });
      case DType::Int64: return as([](float real) { return static_cast<int64_t>(real); });
      default: return as([](float real) { return real; });
    }
  }

  std::filesystem::path path_;
  Ort::Session session_{nullptr};
  std::string input_name_;
  std::string output_name_;
  DType input_type_ = DType::Float32;  ///< Int64: tokens
  DType output_type_ = DType::Float32;
  Grid input_grid_{};  ///< of integers
  Grid output_grid_{};
  Shape input_shape_;
  Shape output_shape_;
};

}  // namespace

std::string onnxruntime_version() { return Ort::GetVersionString(); }

std::unique_ptr<Session> open_onnxruntime(const std::filesystem::path& path, int threads) {
  if (!std::filesystem::is_regular_file(path)) {
    fail(Code::Model, "cannot read {}: there is no such file", path.string());
  }
  return translated(path, Code::Model,
                    [&] { return std::make_unique<OnnxRuntimeSession>(path, threads); });
}

}  // namespace octet
