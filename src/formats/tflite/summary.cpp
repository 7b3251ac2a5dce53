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

/// The elements of a table of the file: indices and lengths in it may be wrong.
template <class Vector>
auto at(const Vector* vector, int64_t index) {
  if (vector == nullptr || index < 0 || index >= int64_t{vector->size()}) {
    fail(Code::Model, "a TFLite table has no entry {}", index);
  }
  return vector->Get(static_cast<flatbuffers::uoffset_t>(index));
}

int64_t dim(const Shape& shape, size_t index) {
  if (index >= shape.size()) fail(Code::Model, "a tensor has no dimension {}", index);
  return shape[index];
}

class Summarizer {
 public:
  explicit Summarizer(const tflite::Model& model)
      : model_(model), graph_(*model.subgraphs()->Get(0)) {}

  FileSummary run() const {
    FileSummary summary;
    std::set<int32_t> counted;
    if (!graph_.operators()) return summary;
    for (const tflite::Operator* op : *graph_.operators()) {
      const auto code = at(model_.operator_codes(), op->opcode_index())->builtin_code();
      const tflite::Tensor& out = tensor(at(op->outputs(), 0));
      summary.operators.push_back({tflite::EnumNameBuiltinOperator(code),
                                   out.name() ? out.name()->str() : "", type_name(out.type())});
      summary.multiply_adds += multiply_adds(code, *op);
      if (!op->inputs()) continue;
      for (const int32_t input : *op->inputs()) {
        if (input >= 0 && is_constant(input) && counted.insert(input).second) {
          summary.parameters += element_count(shape_of(tensor(input)));
        }
      }
    }
    return summary;
  }

 private:
  const tflite::Tensor& tensor(int32_t index) const { return *at(graph_.tensors(), index); }
  bool is_constant(int32_t index) const {
    const auto* buffer = at(model_.buffers(), tensor(index).buffer());
    return buffer->data() != nullptr && buffer->data()->size() > 0;
  }

  int64_t multiply_adds(tflite::BuiltinOperator code, const tflite::Operator& op) const {
    const auto input = [&](int64_t i) { return shape_of(tensor(at(op.inputs(), i))); };
    const Shape out = shape_of(tensor(at(op.outputs(), 0)));
    switch (code) {
      case tflite::BuiltinOperator_CONV_2D:
      case tflite::BuiltinOperator_DEPTHWISE_CONV_2D:
        return element_count(input(1)) * dim(out, 1) * dim(out, 2);
      case tflite::BuiltinOperator_FULLY_CONNECTED: return element_count(out) * dim(input(1), 1);
      case tflite::BuiltinOperator_BATCH_MATMUL: {
        const Shape a = input(0);
        return element_count(out) * dim(a, a.size() - 1);
      }
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
  try {
    return Summarizer(model).run();
  } catch (const Error& error) {
    fail(error.code(), "{} is a damaged TFLite file: {}", path.string(), error.what());
  }
}

}  // namespace octet
