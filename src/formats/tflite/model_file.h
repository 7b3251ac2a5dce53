#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/fail.h"
#include "graph/tensor.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace octet::lite {

/// A TFLite file in memory, verified by flatbuffers. Indices and lengths in it may still be wrong:
/// ask by `at`.
class ModelFile {
 public:
  /// Throws Code::Model naming the path: not TFLite, truncated, without a network.
  explicit ModelFile(const std::filesystem::path& path);

  const tflite::Model& model() const { return *tflite::GetModel(bytes_.data()); }
  const tflite::SubGraph& graph() const { return *model().subgraphs()->Get(0); }

  const tflite::Tensor& tensor(int64_t index) const;
  tflite::BuiltinOperator code(const tflite::Operator& op) const;
  /// The data of a constant; nullptr for what is computed.
  const flatbuffers::Vector<uint8_t>* data(const tflite::Tensor& tensor) const;

 private:
  std::vector<std::byte> bytes_;
};

/// The elements of a table of the file. Throws Code::Model for an index beyond its end.
template <class Vector>
auto at(const Vector* vector, int64_t index) {
  if (vector == nullptr || index < 0 || index >= int64_t{vector->size()}) {
    fail(Code::Model, "a TFLite table has no entry {}", index);
  }
  return vector->Get(static_cast<flatbuffers::uoffset_t>(index));
}

Shape shape_of(const tflite::Tensor& tensor);

}  // namespace octet::lite
