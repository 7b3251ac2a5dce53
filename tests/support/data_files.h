#pragma once

#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

namespace octet {

/// The contents of an IDX file of unsigned bytes. `elements` need not fit the dimensions.
inline std::string idx_bytes(std::initializer_list<uint32_t> dimensions,
                             std::string_view elements) {
  std::string out = {0, 0, 8, static_cast<char>(dimensions.size())};
  for (const uint32_t size : dimensions) {
    for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<char>(size >> shift & 0xff));
  }
  return out.append(elements);
}

/// The bytes first, first + 1, ... (modulo 256).
inline std::string counting(size_t count, size_t first = 0) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out.push_back(static_cast<char>((first + i) & 0xff));
  return out;
}

inline std::filesystem::path write_gzip(const std::filesystem::path& path,
                                        std::string_view contents) {
  const gzFile file = ::gzopen(path.c_str(), "wb");
  const auto size = static_cast<unsigned>(contents.size());
  const bool ok =
      file != nullptr && ::gzwrite(file, contents.data(), size) == static_cast<int>(size);
  if (!ok || ::gzclose(file) != Z_OK) throw std::runtime_error("cannot write " + path.string());
  return path;
}

}  // namespace octet
