#include "formats/summary.h"

#include <flatbuffers/flatbuffers.h>
#include <tensorflow/lite/schema/schema_generated.h>

#include <set>

#include "base/fail.h"
#include "base/file.h"
#include "graph/tensor.h"

namespace octet {
namespace {

std::string type_name(tflite::TensorType type) {
  std::string name = tflite::EnumNameTensorType(type);
  for (char& letter : name) letter = static_cast<char>(std::tolower(letter));
  return name;
}

Shape shape_of(const tflite::Tensor& tensor) {
  if (!tensor.shape()) return {};
  return {tensor.shape()->begin(), tensor.shape()->end()};
}

class Summarizer {
 public:
  explicit Summarizer(const tflite::Model& model)
      : model_(model), graph_(*model.subgraphs()->Get(0)) {}

  FileSummary run() const {
    FileSummary summary;
    std::set<int32_t> counted;
    for (const tflite::Operator* op : *graph_.operators()) {
      const auto code = model_.operator_codes()->Get(op->opcode_index())->builtin_code();
      const tflite::Tensor& out = tensor(op->outputs()->Get(0));
      summary.operators.push_back(
          {tflite::EnumNameBuiltinOperator(code), out.name()->str(), type_name(out.type())});
      summary.multiply_adds += multiply_adds(code, *op);
      for (const int32_t input : *op->inputs()) {
        if (input >= 0 && is_constant(input) && counted.insert(input).second) {
          summary.parameters += element_count(shape_of(tensor(input)));
        }
      }
    }
    return summary;
  }

 private:
  const tflite::Tensor& tensor(int32_t index) const {
    return *graph_.tensors()->Get(static_cast<uint32_t>(index));
  }
  bool is_constant(int32_t index) const {
    const auto* buffer = model_.buffers()->Get(tensor(index).buffer());
    return buffer->data() != nullptr && buffer->data()->size() > 0;
  }

  int64_t multiply_adds(tflite::BuiltinOperator code, const tflite::Operator& op) const {
    const auto input = [&](uint32_t i) { return shape_of(tensor(op.inputs()->Get(i))); };
    const Shape out = shape_of(tensor(op.outputs()->Get(0)));
    switch (code) {
      case tflite::BuiltinOperator_CONV_2D:
      case tflite::BuiltinOperator_DEPTHWISE_CONV_2D:
        return element_count(input(1)) * out.at(1) * out.at(2);
      case tflite::BuiltinOperator_FULLY_CONNECTED:
        return element_count(out) * input(1).at(1);
      case tflite::BuiltinOperator_BATCH_MATMUL: return element_count(out) * input(0).back();
      default: return 0;
    }
  }

  const tflite::Model& model_;
  const tflite::SubGraph& graph_;
};

}  // namespace

FileSummary summarize_tflite(const std::filesystem::path& path) {
  const auto bytes = read_file(path, Code::Model);
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  flatbuffers::Verifier verifier(data, bytes.size());
  if (bytes.size() < 8 || !tflite::ModelBufferHasIdentifier(data) ||
      !tflite::VerifyModelBuffer(verifier)) {
    fail(Code::Model, "{} is not a TFLite file, or a truncated one", path.string());
  }
  const tflite::Model& model = *tflite::GetModel(data);
  if (!model.subgraphs() || model.subgraphs()->size() == 0) {
    fail(Code::Model, "{} holds no network", path.string());
  }
  return Summarizer(model).run();
}

}  // namespace octet
