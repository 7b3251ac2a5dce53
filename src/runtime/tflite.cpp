#include <algorithm>
#include <atomic>
#include <thread>

#include "base/fail.h"
#include "base/file.h"
#include "base/text.h"
#include "runtime/session.h"
#include "runtime/tflite_ends.h"
#include "runtime/tflite_messages.h"
#include "runtime/versions.h"
#include "tensorflow/lite/c/c_api.h"
#include "tensorflow/lite/interpreter.h"
#include "tensorflow/lite/interpreter_builder.h"
#include "tensorflow/lite/kernels/register.h"
#include "tensorflow/lite/kernels/register_ref.h"
#include "tensorflow/lite/model_builder.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace octet {
namespace {

/// Files are for one image at a time, and TFLite's own threads spend more on waiting for one
/// another than they save on one image: so several interpreters of one thread each share the
/// images.
class TfliteSession final : public Session {
 public:
  TfliteSession(const std::filesystem::path& path, int threads, TfliteKernels kernels)
      : path_(path.string()), bytes_(read_file(path, Code::Model)), kernels_(kernels) {
    model_ = tflite::FlatBufferModel::VerifyAndBuildFromBuffer(
        reinterpret_cast<const char*>(bytes_.data()), bytes_.size(), nullptr, &messages_);
    if (!model_) fail(Code::Model, "{} is not a TFLite file: {}", path_, messages_.take());
    const int all = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    for (int i = 0; i < (threads > 0 ? threads : all); ++i) add_interpreter();
  }

  std::string runtime() const override { return "TFLite " + tflite_version(); }

  Shape image_shape() const override {
    Shape shape = dims(*first().input_tensor(0));
    if (!shape.empty()) shape.erase(shape.begin());
    return shape;
  }
  Shape output_shape() const override {
    Shape shape = dims(*first().output_tensor(0));
    if (!shape.empty()) shape.erase(shape.begin());
    return shape;
  }

  std::vector<float> run(std::span<const float> images, int64_t count) override {
    const auto pixels = static_cast<size_t>(element_count(image_shape()));
    const auto classes = static_cast<size_t>(class_count());
    if (images.size() != static_cast<size_t>(count) * pixels) {
      fail(Code::Runtime, "{}: {} numbers were given for {} images of {}", path_, images.size(),
           count, pixels);
    }
    std::vector<float> logits(static_cast<size_t>(count) * classes);
    std::atomic<bool> failed = false;
    const auto total = static_cast<size_t>(count);
    const size_t workers = std::min(interpreters_.size(), std::max<size_t>(1, total));
    const auto work = [&](size_t worker) {
      const size_t end = total * (worker + 1) / workers;
      for (size_t i = total * worker / workers; i < end && !failed; ++i) {
        const std::span<float> out(logits.data() + i * classes, classes);
        if (!run_one(*interpreters_[worker], images.subspan(i * pixels, pixels), out)) {
          failed = true;
        }
      }
    };
    {
      std::vector<std::jthread> others;
      for (size_t w = 1; w < workers; ++w) others.emplace_back(work, w);
      work(0);
    }
    if (failed) fail(Code::Runtime, "TFLite fails in {}: {}", path_, messages_.take());
    return logits;
  }

  std::vector<OperatorUse> operators() override {
    std::vector<OperatorUse> uses;
    for (const int index : first().execution_plan()) {
      const auto& [node, registration] = *first().node_and_registration(index);
      const auto code = static_cast<tflite::BuiltinOperator>(registration.builtin_code);
      OperatorUse use{.name = tflite::EnumNameBuiltinOperator(code), .node = "", .arithmetic = ""};
      if (code == tflite::BuiltinOperator_CUSTOM && registration.custom_name) {
        use.name = registration.custom_name;
      }
      if (node.outputs->size > 0) {
        const TfLiteTensor& out = *first().tensor(node.outputs->data[0]);
        use.node = out.name ? out.name : "";
        use.arithmetic = type_name(out.type);
        if (out.type == kTfLiteFloat32 && has_integer_weight(node)) use.arithmetic = "dynamic-int8";
      }
      uses.push_back(std::move(use));
    }
    return uses;
  }

 private:
  /// A hybrid kernel: it quantizes its float input as it goes.
  bool has_integer_weight(const TfLiteNode& node) const {
    return node.inputs->size > 1 && node.inputs->data[1] >= 0 &&
           first().tensor(node.inputs->data[0])->type == kTfLiteFloat32 &&
           first().tensor(node.inputs->data[1])->type == kTfLiteInt8;
  }

  void add_interpreter() {
    const tflite::ops::builtin::BuiltinOpResolverWithoutDefaultDelegates optimized;
    const tflite::ops::builtin::BuiltinRefOpResolver reference;
    const bool fast = kernels_ == TfliteKernels::Optimized;
    const tflite::OpResolver& resolver = fast ? static_cast<const tflite::OpResolver&>(optimized)
                                              : static_cast<const tflite::OpResolver&>(reference);
    tflite::InterpreterBuilder builder(*model_, resolver);
    std::unique_ptr<tflite::Interpreter> made;
    if (builder(&made, 1) != kTfLiteOk || !made) {
      fail(Code::Runtime, "TFLite refuses {}: {}", path_, messages_.take());
    }
    check_signature(*made);
    if (made->AllocateTensors() != kTfLiteOk) {
      fail(Code::Runtime, "TFLite refuses {}: {}", path_, messages_.take());
    }
    interpreters_.push_back(std::move(made));
  }

  static bool run_one(tflite::Interpreter& interpreter, std::span<const float> image,
                      std::span<float> out) {
    put_image(image, interpreter);
    if (interpreter.Invoke() != kTfLiteOk) return false;
    take_logits(interpreter, out);
    return true;
  }

  tflite::Interpreter& first() const { return *interpreters_.front(); }

  static Shape dims(const TfLiteTensor& tensor) {
    return {tensor.dims->data, tensor.dims->data + tensor.dims->size};
  }

  static std::string type_name(TfLiteType type) {
    std::string name = TfLiteTypeGetName(type);  // "INT8"
    std::ranges::transform(name, name.begin(), [](unsigned char letter) {
      return static_cast<char>(std::tolower(letter));
    });
    return name;
  }

  void check_signature(const tflite::Interpreter& interpreter) const {
    const auto& inputs = interpreter.inputs();
    const auto& outputs = interpreter.outputs();
    if (inputs.size() != 1 || outputs.size() != 1) {
      fail(Code::Model,
           "{} has {} inputs and {} outputs; wanted one input of images and one output", path_,
           inputs.size(), outputs.size());
    }
    for (const auto& [tensor, what] : {std::pair{interpreter.input_tensor(0), "input"},
                                       std::pair{interpreter.output_tensor(0), "output"}}) {
      const bool typed = is_end(*tensor) ||
                         (tensor->type == kTfLiteInt32 && tensor == interpreter.input_tensor(0));
      if (typed && tensor->dims->size > 0 && tensor->dims->data[0] == 1) continue;
      fail(Code::Model, "{}: its {} is {}[{}]; wanted float32 with a batch of 1", path_, what,
           type_name(tensor->type), shape_text(dims(*tensor)));
    }
  }

  std::string path_;
  std::vector<std::byte> bytes_;  // outlives the model, which reads it in place
  TfliteKernels kernels_;
  TfliteMessages messages_;
  std::unique_ptr<tflite::FlatBufferModel> model_;
  std::vector<std::unique_ptr<tflite::Interpreter>> interpreters_;
};

}  // namespace

std::string tflite_version() { return TfLiteVersion(); }

std::unique_ptr<Session> open_tflite(const std::filesystem::path& path, int threads,
                                     TfliteKernels kernels) {
  return std::make_unique<TfliteSession>(path, threads, kernels);
}

}  // namespace octet
