#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <ranges>

#include "base/fail.h"
#include "base/text.h"
#include "runtime/onnxruntime_environment.h"
#include "runtime/onnxruntime_operators.h"
#include "runtime/session.h"
#include "runtime/versions.h"

namespace octet {
namespace {

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
    whole_input_ = is_whole(session_.GetInputTypeInfo(0));
    input_shape_ = shape_of(session_.GetInputTypeInfo(0), "input", whole_input_);
    output_shape_ = shape_of(session_.GetOutputTypeInfo(0), "output", false);
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

  std::vector<OperatorUse> operators() override { return executed_operators(path_); }

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

  static bool is_whole(const Ort::TypeInfo& info) {
    return info.GetONNXType() == ONNX_TYPE_TENSOR &&
           info.GetTensorTypeAndShapeInfo().GetElementType() == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
  }

  Shape shape_of(const Ort::TypeInfo& info, std::string_view what, bool whole) const {
    if (info.GetONNXType() != ONNX_TYPE_TENSOR ||
        (!whole && info.GetTensorTypeAndShapeInfo().GetElementType() !=
                       ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT)) {
      fail(Code::Model, "{}: its {} is not a float32 tensor", path_.string(), what);
    }
    return info.GetTensorTypeAndShapeInfo().GetShape();
  }

  void append(std::vector<float>& logits, std::span<const float> images, int64_t count) {
    Shape shape = input_shape_;
    shape[0] = count;
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    // ONNX Runtime's interface lacks const; inputs are not written.
    auto* data = const_cast<float*>(images.data());
    std::vector<int64_t> tokens;
    if (whole_input_) tokens.assign(images.begin(), images.end());
    const Ort::Value input =
        whole_input_ ? Ort::Value::CreateTensor<int64_t>(memory, tokens.data(), tokens.size(),
                                                         shape.data(), shape.size())
                     : Ort::Value::CreateTensor<float>(memory, data, images.size(), shape.data(),
                                                       shape.size());
    const char* in = input_name_.c_str();
    const char* out = output_name_.c_str();
    const auto results = session_.Run(Ort::RunOptions{nullptr}, &in, &input, 1, &out, 1);
    const auto* values = results[0].GetTensorData<float>();
    logits.insert(logits.end(), values, values + count * class_count());
  }

  std::filesystem::path path_;
  Ort::Session session_{nullptr};
  std::string input_name_;
  std::string output_name_;
  bool whole_input_ = false;  ///< tokens, 64-bit
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
