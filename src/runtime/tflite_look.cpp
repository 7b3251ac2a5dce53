#include <algorithm>
#include <cstring>
#include <map>

#include "base/child_process.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/text.h"
#include "runtime/look.h"
#include "runtime/tflite_ends.h"
#include "runtime/tflite_messages.h"
#include "runtime/versions.h"
#include "tensorflow/lite/core/api/profiler.h"
#include "tensorflow/lite/interpreter.h"
#include "tensorflow/lite/interpreter_builder.h"
#include "tensorflow/lite/kernels/register.h"
#include "tensorflow/lite/model_builder.h"

namespace octet {
namespace {

Shape dims_of(const TfLiteTensor& tensor) {
  return {tensor.dims->data, tensor.dims->data + tensor.dims->size};
}

/// [N, H, W, C] to [N, C, H, W].
Tensor channels_first(const Tensor& tensor) {
  const Shape& in = tensor.shape;
  Tensor out(tensor.dtype, {in[0], in[3], in[1], in[2]});
  const size_t width = size_of(tensor.dtype);
  const auto channels = static_cast<size_t>(in[3]);
  const auto pixels = static_cast<size_t>(in[1] * in[2]);
  const size_t size = channels * pixels;
  for (size_t i = 0; i < out.bytes.size() / width; ++i) {
    const size_t from = i / size * size + i % pixels * channels + i / pixels % channels;
    std::memcpy(&out.bytes[i * width], &tensor.bytes[from * width], width);
  }
  return out;
}

/// Copies tensors when the operator that makes them has ended: later ones may use their memory
/// again, or compute in place (ADD does, even where the interpreter is asked to preserve tensors).
class Recorder final : public tflite::Profiler {
 public:
  using tflite::Profiler::BeginEvent;
  using tflite::Profiler::EndEvent;

  struct Recorded {
    const TfLiteTensor* tensor;
    std::vector<std::byte> bytes;
  };
  std::vector<Recorded> records;                   ///< of the held values
  std::map<int64_t, std::vector<size_t>> made_by;  ///< records, by the index of the operator

 private:
  uint32_t BeginEvent(const char* /*tag*/, EventType type, int64_t op, int64_t /*more*/) override {
    return type == EventType::OPERATOR_INVOKE_EVENT ? static_cast<uint32_t>(op) + 1 : 0;
  }
  void EndEvent(uint32_t event) override {
    const auto found = made_by.find(int64_t{event} - 1);
    if (found == made_by.end()) return;
    for (const size_t record : found->second) {
      const TfLiteTensor& tensor = *records[record].tensor;
      const auto* bytes = reinterpret_cast<const std::byte*>(tensor.data.raw_const);
      records[record].bytes.assign(bytes, bytes + tensor.bytes);
    }
  }
};

/// The file in TFLite. Lives in a child process.
class OpenFile {
 public:
  OpenFile(std::string path, std::span<const std::byte> bytes, std::span<const HeldValue> held)
      : path_(std::move(path)) {
    model_ = tflite::FlatBufferModel::VerifyAndBuildFromBuffer(
        reinterpret_cast<const char*>(bytes.data()), bytes.size(), nullptr, &messages_);
    if (!model_) fail(Code::Model, "{} is not a TFLite file: {}", path_, messages_.take());
    const tflite::ops::builtin::BuiltinOpResolverWithoutDefaultDelegates resolver;
    tflite::InterpreterBuilder builder(*model_, resolver);
    if (builder(&interpreter_, 1) != kTfLiteOk || !interpreter_ ||
        interpreter_->AllocateTensors() != kTfLiteOk) {
      fail(Code::Runtime, "TFLite refuses {}: {}", path_, messages_.take());
    }
    if (interpreter_->inputs().size() != 1 || interpreter_->outputs().size() != 1 ||
        !is_end(*interpreter_->input_tensor(0)) || !is_end(*interpreter_->output_tensor(0))) {
      fail(Code::Model, "{}: wanted one input of images and one output, float32, int8 or uint8",
           path_);
    }
    find_tensors(held);
    interpreter_->SetProfiler(&recorder_);
  }

  Shape input_shape() const { return dims_of(*interpreter_->input_tensor(0)); }

  /// Appends the integers of every tensor, then the logits.
  void run(std::span<const float> image, std::vector<std::byte>& out) {
    put_image(image, *interpreter_);
    if (interpreter_->Invoke() != kTfLiteOk) {
      fail(Code::Runtime, "TFLite fails in {}: {}", path_, messages_.take());
    }
    for (const Recorder::Recorded& record : recorder_.records) out.append_range(record.bytes);
    std::vector<float> logits(
        static_cast<size_t>(element_count(dims_of(*interpreter_->output_tensor(0)))));
    take_logits(*interpreter_, logits);
    out.append_range(std::as_bytes(std::span(logits)));
  }

  /// Type and shape of every tensor, and of the input in front, as numbers.
  std::vector<int64_t> describe() const {
    std::vector<int64_t> numbers;
    const auto add = [&](const TfLiteTensor& tensor, DType type) {
      numbers.push_back(static_cast<int64_t>(type));
      numbers.push_back(tensor.dims->size);
      for (const int64_t dim : dims_of(tensor)) numbers.push_back(dim);
    };
    add(*interpreter_->input_tensor(0), DType::Float32);
    for (const Recorder::Recorded& record : recorder_.records) {
      add(*record.tensor, type_of(*record.tensor));
    }
    return numbers;
  }

 private:
  /// Names are unique among the results of operators.
  void find_tensors(std::span<const HeldValue> held) {
    std::map<std::string, std::pair<int, const TfLiteTensor*>> made;  // with the operator's index
    for (const int op : interpreter_->execution_plan()) {
      const TfLiteIntArray& outputs = *interpreter_->node_and_registration(op)->first.outputs;
      for (int i = 0; i < outputs.size; ++i) {
        const TfLiteTensor* tensor = interpreter_->tensor(outputs.data[i]);
        made.emplace(tensor->name ? tensor->name : "", std::pair(op, tensor));
      }
    }
    for (const HeldValue& value : held) {
      const auto found = made.find(value.tensor);
      if (found == made.end()) {
        fail(Code::Model,
             "{} has no tensor '{}', which the network has: it is the file of another network; "
             "give the network that it was made from",
             path_, value.tensor);
      }
      const auto& [op, tensor] = found->second;
      recorder_.made_by[op].push_back(recorder_.records.size());
      recorder_.records.push_back({tensor, {}});
    }
  }

  DType type_of(const TfLiteTensor& tensor) const {
    switch (tensor.type) {
      case kTfLiteInt8: return DType::Int8;
      case kTfLiteUInt8: return DType::UInt8;
      case kTfLiteInt16: return DType::Int16;
      case kTfLiteInt32: return DType::Int32;
      default: fail(Code::Model, "{}: its tensor '{}' is not of integers", path_, tensor.name);
    }
  }

  std::string path_;
  TfliteMessages messages_;
  Recorder recorder_;
  std::unique_ptr<tflite::FlatBufferModel> model_;
  std::unique_ptr<tflite::Interpreter> interpreter_;
};

class TfliteLook final : public Look {
 public:
  TfliteLook(const std::filesystem::path& path, std::vector<HeldValue> held)
      : path_(path.string()), bytes_(read_file(path, Code::Model)), held_(std::move(held)) {
    const std::vector<std::byte> told = in_child(path_ + ": TFLite", [&] {
      const std::vector<int64_t> numbers = OpenFile(path_, bytes_, held_).describe();
      const auto bytes = std::as_bytes(std::span(numbers));
      return std::vector<std::byte>(bytes.begin(), bytes.end());
    });
    std::vector<int64_t> numbers(told.size() / sizeof(int64_t));
    std::memcpy(numbers.data(), told.data(), told.size());
    for (auto at = numbers.begin(); at != numbers.end();) {
      const auto type = static_cast<DType>(*at++);
      const auto rank = static_cast<std::ptrdiff_t>(*at++);
      kinds_.push_back({type, {at, at + rank}});
      at += rank;
    }
    for (const Kind& kind : std::span(kinds_).subspan(1)) {
      held_bytes_ += Tensor(kind.type, kind.shape).bytes.size();
    }
    const Shape& input = kinds_.front().shape;
    if (input.empty() || input[0] != 1) {
      fail(Code::Model, "{}: its input is {}; wanted images with a batch of 1", path_,
           shape_text(input));
    }
  }

  std::string runtime() const override { return "TFLite " + tflite_version(); }
  Shape image_shape() const override {
    const Shape& input = kinds_.front().shape;
    return {input.begin() + 1, input.end()};
  }

  std::vector<Seen> run(std::span<const float> images, int64_t count) override {
    const std::vector<std::byte> computed = in_child(path_ + ": TFLite", [&] {
      OpenFile file(path_, bytes_, held_);
      std::vector<std::byte> out;
      const size_t size = images.size() / static_cast<size_t>(count);
      for (size_t i = 0; i < images.size(); i += size) file.run(images.subspan(i, size), out);
      return out;
    });
    std::vector<Seen> all;
    const size_t size = computed.size() / static_cast<size_t>(count);
    if (size < held_bytes_) {
      fail(Code::Runtime, "{}: TFLite did not compute all of its tensors", path_);
    }
    for (size_t i = 0; i < computed.size(); i += size) {
      all.push_back(seen_in(std::span(computed).subspan(i, size)));
    }
    return all;
  }

 private:
  struct Kind {
    DType type;
    Shape shape;
  };

  Seen seen_in(std::span<const std::byte> bytes) const {
    Seen seen{.images = 1, .values = {}, .logits = {}};
    for (size_t i = 0; i < held_.size(); ++i) {
      const Kind& kind = kinds_[i + 1];
      Tensor tensor(kind.type, kind.shape);
      std::ranges::copy(bytes.first(tensor.bytes.size()), tensor.bytes.begin());
      bytes = bytes.subspan(tensor.bytes.size());
      const bool turn = held_[i].channels_last && kind.shape.size() == 4;
      seen.values.push_back({held_[i].value, turn ? channels_first(tensor) : std::move(tensor)});
    }
    seen.logits.resize(bytes.size() / sizeof(float));
    std::memcpy(seen.logits.data(), bytes.data(), bytes.size());
    return seen;
  }

  std::string path_;
  std::vector<std::byte> bytes_;
  std::vector<HeldValue> held_;
  std::vector<Kind> kinds_;  ///< of the input, then of the held values
  size_t held_bytes_ = 0;    ///< of one image
};

}  // namespace

std::unique_ptr<Look> look_into_tflite(const std::filesystem::path& path,
                                       std::vector<HeldValue> held) {
  return std::make_unique<TfliteLook>(path, std::move(held));
}

}  // namespace octet
