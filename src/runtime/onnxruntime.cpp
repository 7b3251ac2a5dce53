#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <ranges>
#include <span>

#include "base/fail.h"
#include "base/text.h"
#include "runtime/onnxruntime_ends.h"
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
    input_ = input_end(session_, path_);
    output_ = output_end(session_, path_);
    const bool open = std::ranges::any_of(output_.shape | std::views::drop(1),
                                          [](int64_t dim) { return dim <= 0; });
    if (output_.shape.size() < 2 || open || input_.shape.size() < 2) {
      fail(Code::Model, "{}: its output has the shape {}; wanted logits, batch x classes",
           path_.string(), shape_text(output_.shape));
    }
  }

  std::string runtime() const override { return "ONNX Runtime " + onnxruntime_version(); }
  Shape image_shape() const override { return {input_.shape.begin() + 1, input_.shape.end()}; }
  Shape output_shape() const override { return {output_.shape.begin() + 1, output_.shape.end()}; }

  std::vector<float> run(std::span<const float> images, int64_t count) override {
    return translated(path_, Code::Runtime, [&] { return run_parts(images, count); });
  }

  std::vector<OperatorUse> operators() override { return executed_operators(path_); }

 private:
  std::vector<float> run_parts(std::span<const float> images, int64_t count) {
    // A file with a fixed batch is run in parts of that size.
    const int64_t part = input_.shape[0] > 0 ? input_.shape[0] : count;
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

  void append(std::vector<float>& logits, std::span<const float> images, int64_t count) {
    Shape shape = input_.shape;
    shape[0] = count;
    const StoredImages stored(images, input_, shape);
    const char* in = input_.name.c_str();
    const char* out = output_.name.c_str();
    const auto results = session_.Run(Ort::RunOptions{nullptr}, &in, &stored.value(), 1, &out, 1);
    append_reals(results[0], output_, logits);
  }

  std::filesystem::path path_;
  Ort::Session session_{nullptr};
  OnnxRuntimeEnd input_;
  OnnxRuntimeEnd output_;
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
