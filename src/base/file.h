#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "octet/error.h"

namespace octet {

/// The whole file. Throws Code::Io (unreadable) or `missing` (no such file), naming the path.
std::vector<std::byte> read_file(const std::filesystem::path& path, Code missing);

/// Writes beside, flushes to the disk, then renames: `path` holds either what it held before or
/// all of `bytes`. Throws Code::Io (a missing folder, no right, no disk left) and leaves nothing.
void write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file(const std::filesystem::path& path, std::string_view text);

/// Makes the folder and its parents; Code::Io when that fails.
void make_folder(const std::filesystem::path& path);

}  // namespace octet
