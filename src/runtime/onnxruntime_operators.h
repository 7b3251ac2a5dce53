#pragma once

#include <filesystem>
#include <vector>

#include "runtime/session.h"

namespace octet {

/// The operators of an ONNX file after ONNX Runtime's own optimization. Throws Code::Runtime.
std::vector<OperatorUse> executed_operators(const std::filesystem::path& path);

}  // namespace octet
