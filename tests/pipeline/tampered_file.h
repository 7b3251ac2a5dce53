#pragma once

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "base/file.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace octet::test {

/// Changes one byte of a constant by 64: of the initializer of an ONNX file, or of the tensor of a
/// TFLite file, with this name.
inline void tamper_onnx(const std::filesystem::path& file, const std::string& name) {
  const auto bytes = read_file(file, Code::Io);
  onnx::ModelProto model;
  model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  for (auto& tensor : *model.mutable_graph()->mutable_initializer()) {
    if (tensor.name() != name) continue;
    tensor.mutable_raw_data()->at(0) = static_cast<char>(tensor.raw_data()[0] ^ 64);
    return write_file(file, model.SerializeAsString());
  }
  throw std::runtime_error("no initializer " + name);
}

inline void tamper_tflite(const std::filesystem::path& file, const std::string& name) {
  const auto bytes = read_file(file, Code::Io);
  const std::unique_ptr<tflite::ModelT> model(tflite::UnPackModel(bytes.data()));
  for (const auto& tensor : model->subgraphs[0]->tensors) {
    if (tensor->name != name) continue;
    model->buffers.at(tensor->buffer)->data.at(0) ^= 64;
    flatbuffers::FlatBufferBuilder builder;
    tflite::FinishModelBuffer(builder, tflite::CreateModel(builder, model.get()));
    return write_file(file,
                      std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize())));
  }
  throw std::runtime_error("no tensor " + name);
}

}  // namespace octet::test
