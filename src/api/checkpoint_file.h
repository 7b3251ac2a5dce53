#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "train/checkpoint.h"

namespace octet {

/// What decides what a training learns: "network" -> a fingerprint, "seed" -> "1", "rate" -> ...
using TrainingIdentity = std::vector<std::pair<std::string, std::string>>;

/// A checkpoint as a file in the layout of safetensors, which others can read: the length of the
/// header in 8 bytes, the header (JSON: type, shape and place of every tensor, and under
/// "__metadata__" the format's name and version, the identity, and the state in JSON), the tensors.
/// The last tensor, "checksum", is the digest of all bytes before it. Written beside and renamed.
/// Throws Code::Io.
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint,
                      const TrainingIdentity& identity);

/// Reads it back. Throws Code::Data where the file is no checkpoint, damaged or of another version,
/// Code::Usage naming the first part of the identity that differs.
Checkpoint read_checkpoint(const std::filesystem::path& path, const TrainingIdentity& identity);

/// How far the training of a file has come: "epoch 3, 120 batches", whatever its identity.
/// Throws Code::Data as above.
std::string checkpoint_text(const std::filesystem::path& path);

}  // namespace octet
