#pragma once

#include <onnx/defs/parser.h>
#include <onnx/onnx_pb.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include "support/temp_folder.h"

namespace octet::test {

/// A model in ONNX's own text syntax. `text` starts with the graph, or with "<" and the header.
inline onnx::ModelProto onnx_model(std::string_view text, int opset = 21) {
  std::string whole(text);
  if (!whole.starts_with('<')) {
    whole = "<ir_version: 8, opset_import: [\"\" : " + std::to_string(opset) + "]>\n" + whole;
  }
  onnx::ModelProto model;
  const auto status = onnx::OnnxParser::Parse(model, whole.c_str());
  if (!status.IsOK()) throw std::runtime_error(status.ErrorMessage());
  return model;
}

inline std::filesystem::path write_model(const TempFolder& folder, const onnx::ModelProto& model,
                                         std::string_view name = "m.onnx") {
  return folder.write(name, model.SerializeAsString());
}

}  // namespace octet::test
