#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace octet {

/// The bytes of an ONNX file with more outputs: `tensors`, which its nodes make, after its own
/// ones. Throws Code::Model: not ONNX, truncated, and naming the first tensor that no node makes.
std::vector<std::byte> expose_tensors(const std::filesystem::path& path,
                                      std::span<const std::string> tensors);

}  // namespace octet
