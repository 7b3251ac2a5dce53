#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "api/stages.h"

namespace octet {

/// The targets that a run serves: the given ones, else those that the outputs' extensions name,
/// each the first with such files and with kernels of activations of so many bits; where all
/// outputs are network files (.octet), onnxruntime-cpu and tflite. Throws Code::Usage where there
/// is no output or an extension that no target has, Code::Io where an output's folder does not
/// exist.
std::vector<std::string> targets_of(std::span<const std::filesystem::path> outputs,
                                    const std::vector<std::string>& given, int activation_bits = 8);

/// Throws Code::Usage where an output is the file that is read.
void refuse_overwriting(const std::filesystem::path& model,
                        std::span<const std::filesystem::path> outputs);

/// The bytes of every output, in the format that its extension names: what a format cannot say is
/// refused before the first file is there.
std::vector<std::vector<std::byte>> files_of(const QuantizedNetwork& network,
                                             std::span<const std::filesystem::path> outputs);

}  // namespace octet
