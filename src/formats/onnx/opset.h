#pragma once

#include <filesystem>
#include <string>

namespace onnx {
class ModelProto;
}

namespace octet {

/// Inlines the model's functions and brings its nodes to opset `kOpset` with onnx's version
/// converter. Left as it is: a model that is newer (no operator has changed its meaning since,
/// later versions only add types and attributes), and one that the converter refuses while all of
/// its nodes already mean what they mean at `kOpset`. Throws Code::Unsupported with the converter's
/// reason, or naming an opset that libonnx does not know.
void bring_to_opset(onnx::ModelProto& model, const std::filesystem::path& path);

/// A message of onnx on one line, from what its assertions say on: the context that follows names
/// the node.
std::string reason_of(const std::exception& error);

}  // namespace octet
