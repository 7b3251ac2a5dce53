#include <onnxruntime_cxx_api.h>

#include <cstring>

#include "base/fail.h"
#include "formats/onnx/exposed_file.h"
#include "runtime/look.h"
#include "runtime/onnxruntime_ends.h"
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
    if (session_.GetInputCount() != 1) {
      fail(Code::Model, "{} has {} inputs; wanted one input of images", path_.string(),
           session_.GetInputCount());
    }
    input_ = input_end(session_, path_);
    output_ = output_end(session_, path_);
    if (input_.shape.empty()) {
      fail(Code::Model, "{}: its input is a single number; wanted images", path_.string());
    }
    std::erase_if(held_, [&](const HeldValue& value) {
      if (value.tensor != output_.name) return false;
      output_value_ = value.value;  // an end of integers
      return true;
    });
  }

  std::string runtime() const override { return "ONNX Runtime " + onnxruntime_version(); }
  Shape image_shape() const override { return {input_.shape.begin() + 1, input_.shape.end()}; }
  int64_t batch() const override { return std::max<int64_t>(1, input_.shape[0]); }

  std::vector<Seen> run(std::span<const float> images, int64_t count) override {
    const int64_t step = input_.shape[0] > 0 ? input_.shape[0] : count;
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
    Shape shape = input_.shape;
    shape[0] = count;
    const StoredImages stored(images, input_, shape);
    const char* in = input_.name.c_str();
    std::vector<const char*> outs{output_.name.c_str()};
    for (const HeldValue& value : held_) outs.push_back(value.tensor.c_str());
    const auto made =
        session_.Run(Ort::RunOptions{nullptr}, &in, &stored.value(), 1, outs.data(), outs.size());
    Seen seen{.images = count, .values = {}, .logits = {}};
    append_reals(made[0], output_, seen.logits);
    if (output_value_ != kAbsent) {
      seen.values.push_back({output_value_, tensor_of(made[0], output_.name)});
    }
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
  OnnxRuntimeEnd input_;
  OnnxRuntimeEnd output_;
  ValueId output_value_ = kAbsent;  ///< whose integers the output holds
};

}  // namespace

std::unique_ptr<Look> look_into_onnxruntime(const std::filesystem::path& path,
                                            std::vector<HeldValue> held) {
  return translated(path, Code::Model,
                    [&] { return std::make_unique<OnnxRuntimeLook>(path, std::move(held)); });
}

}  // namespace octet
