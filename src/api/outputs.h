#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "api/stages.h"
#include "formats/onnx/onnx_file.h"

namespace octet {

/// The targets that a run serves: the given ones, else those that the outputs' extensions name,
/// each the first with such files. Throws Code::Usage where there is no output or an extension that
/// no target has, Code::Io where an output's folder does not exist.
std::vector<std::string> targets_of(std::span<const std::filesystem::path> outputs,
                                    const std::vector<std::string>& given);

/// Writes one file per output in the format that its extension names: all of them or none.
void write_quantized(const QuantizedNetwork& network,
                     std::span<const std::filesystem::path> outputs, OnnxForm form);

}  // namespace octet
