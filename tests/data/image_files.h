#pragma once

// clang-format off: jpeglib.h needs cstdio before it
#include <cstdio>
#include <jpeglib.h>
#include <png.h>
// clang-format on

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace octet {

struct PngImage {
  uint32_t height = 0;
  uint32_t width = 0;
  int color = PNG_COLOR_TYPE_GRAY;
  int bits = 8;
  std::vector<uint8_t> bytes = {};  ///< rows as PNG has them (16 bits: big-endian)
  std::vector<png_color> palette = {};
  int interlace = PNG_INTERLACE_NONE;
};

inline void write_png(const std::filesystem::path& path, PngImage image) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) throw std::runtime_error("cannot write " + path.string());
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  png_init_io(png, file);
  png_set_IHDR(png, info, image.width, image.height, image.bits, image.color, image.interlace,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!image.palette.empty()) {
    png_set_PLTE(png, info, image.palette.data(), static_cast<int>(image.palette.size()));
  }
  std::vector<png_bytep> rows;
  const size_t stride = image.bytes.size() / image.height;
  for (size_t y = 0; y < image.height; ++y) rows.push_back(image.bytes.data() + y * stride);
  png_set_rows(png, info, rows.data());
  png_write_png(png, info, PNG_TRANSFORM_IDENTITY, nullptr);
  png_destroy_write_struct(&png, &info);
  std::fclose(file);
}

/// All pixels alike; `pixel` has 1 (grey), 3 (RGB) or 4 (CMYK) values.
inline std::string jpeg_bytes(uint32_t height, uint32_t width, const std::vector<uint8_t>& pixel) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &memory, &size);
  info.image_height = height;
  info.image_width = width;
  info.input_components = static_cast<int>(pixel.size());
  info.in_color_space = pixel.size() == 1 ? JCS_GRAYSCALE : pixel.size() == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 100, TRUE);
  jpeg_start_compress(&info, TRUE);
  std::vector<uint8_t> row;
  for (uint32_t x = 0; x < width; ++x) row.insert(row.end(), pixel.begin(), pixel.end());
  while (info.next_scanline < height) {
    JSAMPROW at = row.data();
    jpeg_write_scanlines(&info, &at, 1);
  }
  jpeg_finish_compress(&info);
  std::string out(reinterpret_cast<char*>(memory), size);
  jpeg_destroy_compress(&info);
  std::free(memory);
  return out;
}

}  // namespace octet
