#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/dataset.h"

namespace octet {

/// A decoded image: bytes in rows of pixels, the channels of a pixel side by side.
struct PixelView {
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
  std::span<const uint8_t> bytes;
};

struct Pixels {
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
  std::vector<uint8_t> bytes;

  PixelView view() const { return {height, width, channels, bytes}; }
};

/// Grey to RGB (repeated) or RGB to grey (0.299 R + 0.587 G + 0.114 B, rounded).
Pixels with_channels(Pixels pixels, int64_t channels);

/// The way of an image into the network: value/255, resized where its size differs from `shape`
/// (bilinear, half-pixel centres, no antialiasing), then (value - mean) / deviation per channel.
class Preprocess {
 public:
  /// `shape` is channels, height, width of what is written. Throws Code::Data when the numbers of
  /// means or deviations are not that of the channels, or a deviation is zero or not a number.
  Preprocess(const DataSource& source, Shape shape);

  const Shape& shape() const { return shape_; }
  float black(int64_t channel) const { return table_[static_cast<size_t>(channel) * 256]; }

  /// Writes CHW; `pixels` has the channels of `shape`.
  void write(const PixelView& pixels, std::span<float> out) const;

 private:
  void look_up(const PixelView& pixels, std::span<float> out) const;
  void resize(const PixelView& pixels, std::span<float> out) const;

  Shape shape_;
  std::vector<float> mean_;
  std::vector<float> deviation_;
  std::vector<float> table_;  ///< per channel, what each of the 256 bytes becomes
};

}  // namespace octet
