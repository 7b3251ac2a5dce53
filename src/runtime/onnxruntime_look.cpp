#include <onnxruntime_cxx_api.h>

#include <cstring>

#include "base/fail.h"
#include "formats/onnx/exposed_file.h"
#include "runtime/look.h"
#include "runtime/onnxruntime_environment.h"
#include "runtime/versions.h"

namespace octet {
namespace {

DType type_of(ONNXTensorElementDataType type, const std::string& name) {
  switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8: return DType::Int8;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8: return DType::UInt8;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16: return DType::Int16;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16: return DType::UInt16;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32: return DType::Int32;
    default: fail(Code::Model, "its tensor '{}' is not of integers", name);
  }
}

class OnnxRuntimeLook final : public Look {
 public:
  OnnxRuntimeLook(std::filesystem::path path, std::vector<HeldValue> held)
      : path_(std::move(path)), held_(std::move(held)) {
    std::vector<std::string> tensors;
    for (const HeldValue& value : held_) tensors.push_back(value.tensor);
    const std::vector<std::byte> bytes = expose_tensors(path_, tensors);
    Ort::SessionOptions options = onnxruntime_options(0);
    options.SetLogSeverityLevel(ORT_LOGGING_LEVEL_FATAL);  // what fails is thrown too
    session_ = Ort::Session(onnxruntime_environment(), bytes.data(), bytes.size(), options);
    Ort::AllocatorWithDefaultOptions allocator;
    if (session_.GetInputCount() != 1) {
      fail(Code::Model, "{} has {} inputs; wanted one input of images", path_.string(),
           session_.GetInputCount());
    }
    input_name_ = session_.GetInputNameAllocated(0, allocator).get();
    input_shape_ = session_.GetInputTypeInfo(0).GetTensorTypeAndShapeInfo().GetShape();
    if (input_shape_.empty()) {
      fail(Code::Model, "{}: its input is a single number; wanted images", path_.string());
    }
    logits_name_ = session_.GetOutputNameAllocated(0, allocator).get();
  }

  std::string runtime() const override { return "ONNX Runtime " + onnxruntime_version(); }
  Shape image_shape() const override { return {input_shape_.begin() + 1, input_shape_.end()}; }
  int64_t batch() const override { return std::max<int64_t>(1, input_shape_[0]); }

  std::vector<Seen> run(std::span<const float> images, int64_t count) override {
    const int64_t step = input_shape_[0] > 0 ? input_shape_[0] : count;
    const size_t size = images.size() / static_cast<size_t>(count);
    std::vector<Seen> all;
    for (int64_t done = 0; done < count; done += step) {
      const auto from = static_cast<size_t>(done) * size;
      const auto part = images.subspan(from, static_cast<size_t>(step) * size);
      all.push_back(translated(path_, Code::Runtime, [&] { return see(part, step); }));
    }
    return all;
  }

 private:
  Seen see(std::span<const float> images, int64_t count) {
    Shape shape = input_shape_;
    shape[0] = count;
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    // ONNX Runtime's interface lacks const; inputs are not written.
    const Ort::Value input = Ort::Value::CreateTensor<float>(
        memory, const_cast<float*>(images.data()), images.size(), shape.data(), shape.size());
    const char* in = input_name_.c_str();
    std::vector<const char*> outs{logits_name_.c_str()};
    for (const HeldValue& value : held_) outs.push_back(value.tensor.c_str());
    const auto made =
        session_.Run(Ort::RunOptions{nullptr}, &in, &input, 1, outs.data(), outs.size());
    Seen seen{.images = count, .values = {}, .logits = {}};
    const auto* logits = made[0].GetTensorData<float>();
    seen.logits.assign(logits, logits + made[0].GetTensorTypeAndShapeInfo().GetElementCount());
    for (size_t i = 0; i < held_.size(); ++i) {
      seen.values.push_back({held_[i].value, tensor_of(made[i + 1], held_[i].tensor)});
    }
    return seen;
  }

  static Tensor tensor_of(const Ort::Value& made, const std::string& name) {
    const auto info = made.GetTensorTypeAndShapeInfo();
    Tensor tensor(type_of(info.GetElementType(), name), info.GetShape());
    std::memcpy(tensor.bytes.data(), made.GetTensorRawData(), tensor.bytes.size());
    return tensor;
  }

  std::filesystem::path path_;
  std::vector<HeldValue> held_;
  Ort::Session session_{nullptr};
  std::string input_name_;
  std::string logits_name_;
  Shape input_shape_;
};

}  // namespace

std::unique_ptr<Look> look_into_onnxruntime(const std::filesystem::path& path,
                                            std::vector<HeldValue> held) {
  return translated(path, Code::Model,
                    [&] { return std::make_unique<OnnxRuntimeLook>(path, std::move(held)); });
}

}  // namespace octet
