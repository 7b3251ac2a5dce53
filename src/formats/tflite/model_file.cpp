#include "formats/tflite/model_file.h"

#include <flatbuffers/flatbuffers.h>

#include "base/file.h"

namespace octet::lite {

ModelFile::ModelFile(const std::filesystem::path& path) : bytes_(read_file(path, Code::Model)) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes_.data());
  flatbuffers::Verifier verifier(data, bytes_.size());
  if (bytes_.size() < 8 || !tflite::ModelBufferHasIdentifier(data) ||
      !tflite::VerifyModelBuffer(verifier)) {
    fail(Code::Model, "{} is not a TFLite file, or a truncated one", path.string());
  }
  if (!model().subgraphs() || model().subgraphs()->size() == 0) {
    fail(Code::Model, "{} holds no network", path.string());
  }
}

const tflite::Tensor& ModelFile::tensor(int64_t index) const {
  return *at(graph().tensors(), index);
}

tflite::BuiltinOperator ModelFile::code(const tflite::Operator& op) const {
  return at(model().operator_codes(), op.opcode_index())->builtin_code();
}

const flatbuffers::Vector<uint8_t>* ModelFile::data(const tflite::Tensor& tensor) const {
  const auto* held = at(model().buffers(), tensor.buffer())->data();
  return held != nullptr && held->size() > 0 ? held : nullptr;
}

Shape shape_of(const tflite::Tensor& tensor) {
  if (!tensor.shape()) return {};
  return {tensor.shape()->begin(), tensor.shape()->end()};
}

}  // namespace octet::lite
