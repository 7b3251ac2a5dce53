#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "api/recipe.h"
#include "api/stages.h"
#include "octet/octet.h"

namespace octet {

/// Reads a network file (.octet) and places its quantizers again: what was written, but for the log
/// of passes. Throws as `read_network_file` does, and where the placement and the table differ.
QuantizedNetwork read_quantized(const std::filesystem::path& path);

/// The network that a file is verified against: `against` is a network file (.octet), or the float
/// network (.onnx) whose parameters are then the file's own (`adopt`). Code::Usage for other files.
QuantizedNetwork network_behind(const std::filesystem::path& against,
                                const std::filesystem::path& file);

/// The images that files are verified on: the first `count` that are held back, or of all where
/// none are.
std::vector<int64_t> images_to_verify(const Split& parts, int64_t count);

/// A file of the network, side by side with its simulation.
Certificate certify(const QuantizedNetwork& network, const std::filesystem::path& file,
                    const Dataset& dataset, std::vector<int64_t> images,
                    const ProgressSink& progress);

/// What files are certified on.
struct Verification {
  const Dataset& dataset;
  const Split& parts;
  VerificationSettings settings;
  const ProgressSink& progress;
};

/// Certifies a file that was just written, unless `settings.images` is 0 or one of its targets has
/// no dialect. Where a difference is above the limit, or the runtime fails, the file is removed and
/// Code::Runtime (or the runtime's error) thrown.
std::optional<Certificate> certify_or_remove(const QuantizedNetwork& network,
                                             const std::filesystem::path& file,
                                             const Verification& verification);

}  // namespace octet
