#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "data/pixels.h"

namespace octet {

/// Reads and decodes a JPEG or PNG file (told by its contents) to one channel (grey) or three
/// (RGB), whichever the file has. PNG: palettes are expanded, 16 bits scaled to 8, transparency
/// dropped, gamma ignored. JPEG: EXIF orientation is ignored. Throws Code::Data naming the file
/// when it is missing, damaged, truncated, CMYK, or larger than kMostPixels.
Pixels decode_image(const std::filesystem::path& path);

/// The two decoders behind it; `name` is for their messages.
Pixels decode_jpeg(std::span<const std::byte> bytes, const std::string& name);
Pixels decode_png(std::span<const std::byte> bytes, const std::string& name);

inline constexpr int64_t kMostPixels = int64_t{1} << 27;

/// Throws Code::Data when the image is larger than kMostPixels.
void check_size(int64_t height, int64_t width, const std::string& name);

}  // namespace octet
