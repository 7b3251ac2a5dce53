#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "octet/error.h"

namespace octet {

/// A file that is read in parts.
class FileReader {
 public:
  /// Throws `missing` (no such file, or a folder, device or pipe) and Code::Io (no right to read
  /// it), naming the path.
  FileReader(std::filesystem::path path, Code missing);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;

  uint64_t size() const { return size_; }  ///< in bytes, when it was opened
  int descriptor() const { return fd_; }   ///< at the beginning of the file

  /// Fills `out` with the bytes from `offset` on. Returns how many there were: fewer at the end of
  /// the file. Throws Code::Io.
  size_t read(uint64_t offset, std::span<std::byte> out) const;

 private:
  std::filesystem::path path_;
  int fd_;
  uint64_t size_ = 0;
};

}  // namespace octet
