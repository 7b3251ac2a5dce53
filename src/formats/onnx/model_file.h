#pragma once

#include <filesystem>

namespace onnx {
class ModelProto;
}

namespace octet {

/// The message in an ONNX file, without the data that lie in other files. Throws Code::Model naming
/// the path: no such file, a folder, empty, not ONNX, truncated, above protobuf's 2 GiB.
onnx::ModelProto parse_model(const std::filesystem::path& path);

}  // namespace octet
