#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "graph/tensor.h"

namespace octet {

/// An IDX file of unsigned bytes: a big-endian header with the dimensions, then the elements. A
/// plain file stays on the disk and is read piece by piece; a gzipped one (told by its first
/// bytes, not its name) is unpacked into memory once.
class IdxFile {
 public:
  /// Throws Code::Data for a file that is missing, not IDX, not of unsigned bytes, or shorter or
  /// longer than its header says.
  explicit IdxFile(const std::filesystem::path& path);
  ~IdxFile();
  IdxFile(const IdxFile&) = delete;
  IdxFile& operator=(const IdxFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  const Shape& shape() const { return shape_; }

  /// `count` elements from `first` on. They lie in `buffer` (which is resized) or in the file's
  /// own memory; either way they are valid as long as both live. Safe from several threads.
  std::span<const uint8_t> read(int64_t first, int64_t count, std::vector<uint8_t>& buffer) const;

 private:
  void open_plain();
  void open_gzip(int64_t file_size);

  std::filesystem::path path_;
  Shape shape_;
  int file_ = -1;                ///< open while a plain file is read from
  int64_t start_ = 0;            ///< where its elements begin
  std::vector<uint8_t> memory_;  ///< the elements of a gzipped file
};

}  // namespace octet
