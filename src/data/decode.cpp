#include "data/decode.h"

#include <algorithm>
#include <array>

#include "base/fail.h"
#include "base/file.h"

namespace octet {
namespace {

template <size_t N>
bool begins(std::span<const std::byte> bytes, const std::array<uint8_t, N>& with) {
  return bytes.size() >= N && std::equal(with.begin(), with.end(), bytes.begin(),
                                         [](uint8_t a, std::byte b) { return std::byte{a} == b; });
}

}  // namespace

void check_size(int64_t height, int64_t width, const std::string& name) {
  if (height * width > kMostPixels) {
    fail(Code::Data, "{}: the image has {}x{} pixels; at most {} are read", name, height, width,
         kMostPixels);
  }
}

Pixels decode_image(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_file(path, Code::Data);
  if (begins(bytes, std::array<uint8_t, 3>{0xff, 0xd8, 0xff})) {
    return decode_jpeg(bytes, path.string());
  }
  if (begins(bytes, std::array<uint8_t, 8>{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'})) {
    return decode_png(bytes, path.string());
  }
  fail(Code::Data, "{}: the file is neither a JPEG nor a PNG image ({} bytes)", path.string(),
       bytes.size());
}

}  // namespace octet
