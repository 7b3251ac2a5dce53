#include "formats/summary.h"

#include <set>

#include "base/fail.h"
#include "formats/tflite/model_file.h"

namespace octet {
namespace {

using lite::at;
using lite::shape_of;

std::string type_name(tflite::TensorType type) {
  std::string name = tflite::EnumNameTensorType(type);
  for (char& letter : name) letter = static_cast<char>(std::tolower(letter));
  return name;
}

int64_t dim(const Shape& shape, size_t index) {
  if (index >= shape.size()) fail(Code::Model, "a tensor has no dimension {}", index);
  return shape[index];
}

class Summarizer {
 public:
  explicit Summarizer(const lite::ModelFile& file) : file_(file) {}

  FileSummary run() const {
    FileSummary summary;
    std::set<int32_t> counted;
    if (!file_.graph().operators()) return summary;
    for (const tflite::Operator* op : *file_.graph().operators()) {
      const auto code = file_.code(*op);
      const tflite::Tensor& out = file_.tensor(at(op->outputs(), 0));
      summary.operators.push_back({tflite::EnumNameBuiltinOperator(code),
                                   out.name() ? out.name()->str() : "", type_name(out.type())});
      summary.multiply_adds += multiply_adds(code, *op);
      if (!op->inputs()) continue;
      for (const int32_t input : *op->inputs()) {
        if (input >= 0 && file_.data(file_.tensor(input)) && counted.insert(input).second) {
          summary.parameters += element_count(shape_of(file_.tensor(input)));
        }
      }
    }
    return summary;
  }

 private:
  int64_t multiply_adds(tflite::BuiltinOperator code, const tflite::Operator& op) const {
    const auto input = [&](int64_t i) { return shape_of(file_.tensor(at(op.inputs(), i))); };
    const Shape out = shape_of(file_.tensor(at(op.outputs(), 0)));
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

  const lite::ModelFile& file_;
};

}  // namespace

FileSummary summarize_tflite(const std::filesystem::path& path) {
  const lite::ModelFile file(path);
  try {
    return Summarizer(file).run();
  } catch (const Error& error) {
    fail(error.code(), "{} is a damaged TFLite file: {}", path.string(), error.what());
  }
}

}  // namespace octet
