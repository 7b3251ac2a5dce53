#include "ptq_images.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <format>
#include <fstream>
#include <random>
#include <vector>

#include "base/file.h"
#include "made_networks.h"

namespace octet::bench {
namespace {

constexpr int kSide = 224;
constexpr int kKnots = 8;  // of colours along a side

class ImagePainter {
 public:
  std::vector<uint8_t> next() {
    for (float& knot : knots_) knot = normal_(random_);
    std::vector<uint8_t> bytes;
    bytes.reserve(size_t{3} * kSide * kSide);
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        for (int c = 0; c < 3; ++c) bytes.push_back(byte(y, x, c));
      }
    }
    return bytes;
  }

 private:
  float knot(int y, int x, int c) const {
    return knots_[static_cast<size_t>((y * kKnots + x) * 3 + c)];
  }
  uint8_t byte(int y, int x, int c) {
    constexpr float kStep = (kKnots - 1) / static_cast<float>(kSide);
    const float down = static_cast<float>(y) * kStep;
    const float right = static_cast<float>(x) * kStep;
    const int top = static_cast<int>(down);
    const int left = static_cast<int>(right);
    const float above =
        std::lerp(knot(top, left, c), knot(top, left + 1, c), right - static_cast<float>(left));
    const float below = std::lerp(knot(top + 1, left, c), knot(top + 1, left + 1, c),
                                  right - static_cast<float>(left));
    const float colour = std::lerp(above, below, down - static_cast<float>(top));
    const float noise = static_cast<float>(random_() % 33) - 16;
    return static_cast<uint8_t>(std::clamp(128 + 50 * colour + noise, 0.0F, 255.0F));
  }

  std::mt19937 random_{1};
  std::normal_distribution<float> normal_;
  std::array<float, size_t{3} * kKnots * kKnots> knots_{};
};

/// The magic number of IDX bytes, then the extents, all big-endian.
void write_header(std::ofstream& out, std::initializer_list<int64_t> extents) {
  out.write("\0\0\x08", 3);
  out.put(static_cast<char>(extents.size()));
  for (const int64_t extent : extents) {
    for (int shift = 24; shift >= 0; shift -= 8)
      out.put(static_cast<char>((extent >> shift) & 255));
  }
}

}  // namespace

PtqImages ptq_images(int64_t count) {
  const std::string stem = (bench_folder() / std::format("ptq-{}", count)).string();
  PtqImages made{.idx = stem + ".images", .data_yaml = stem + ".yaml"};
  if (std::filesystem::exists(made.data_yaml)) return made;
  std::ofstream images(made.idx, std::ios::binary);
  write_header(images, {count, kSide, kSide, 3});
  ImagePainter painter;
  for (int64_t i = 0; i < count; ++i) {
    const std::vector<uint8_t> image = painter.next();
    images.write(reinterpret_cast<const char*>(image.data()), std::ssize(image));
  }
  std::ofstream labels(stem + ".labels", std::ios::binary);
  write_header(labels, {count});
  for (int64_t i = 0; i < count; ++i) labels.put(static_cast<char>(i % 10));
  write_file(made.data_yaml,
             std::format("classes: 1000\n"
                         "validation: 0\n"
                         "mean: [0.485, 0.456, 0.406]\n"
                         "deviation: [0.229, 0.224, 0.225]\n"
                         "train: {{format: idx, images: {0}, labels: {1}}}\n",
                         made.idx.filename().string(),
                         std::filesystem::path(stem + ".labels").filename().string()));
  return made;
}

}  // namespace octet::bench
