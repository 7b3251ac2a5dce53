#include "data/pixels.h"

#include <algorithm>
#include <cmath>

#include "base/fail.h"

namespace octet {
namespace {

/// One of two rows (or columns) between which a resized one lies, and how far it is from the first.
struct Tap {
  size_t first;
  size_t second;
  float share;
};

std::vector<Tap> taps(int64_t from, int64_t to) {
  std::vector<Tap> taps(static_cast<size_t>(to));
  const double step = static_cast<double>(from) / static_cast<double>(to);
  for (size_t i = 0; i < taps.size(); ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * step - 0.5;
    const double place = std::clamp(centre, 0.0, static_cast<double>(from - 1));
    const auto first = static_cast<size_t>(place);
    const size_t second = std::min(first + 1, static_cast<size_t>(from - 1));
    taps[i] = {first, second, static_cast<float>(place - static_cast<double>(first))};
  }
  return taps;
}

float mixed(float a, float b, float share) { return a + (b - a) * share; }

std::vector<float> per_channel(const DataSource& source, const std::vector<float>& given,
                               int64_t channels, const char* what, float otherwise) {
  if (given.empty()) return std::vector<float>(static_cast<size_t>(channels), otherwise);
  if (static_cast<int64_t>(given.size()) != channels) {
    fail(Code::Data, "{}: the images have {} channels, but '{}' has {} values; give one for each",
         source.images.string(), channels, what, given.size());
  }
  return given;
}

}  // namespace

Pixels with_channels(Pixels pixels, int64_t channels) {
  if (pixels.channels == channels) return pixels;
  Pixels out{pixels.height, pixels.width, channels, {}};
  const auto area = static_cast<size_t>(pixels.height * pixels.width);
  out.bytes.resize(area * static_cast<size_t>(channels));
  for (size_t i = 0; i < area; ++i) {
    if (channels == 3) {
      std::fill_n(&out.bytes[i * 3], 3, pixels.bytes[i]);
    } else {
      const uint8_t* rgb = &pixels.bytes[i * 3];
      out.bytes[i] =  // 16 fractional bits; the weights' sum is 1
          static_cast<uint8_t>((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 32768u) >> 16);
    }
  }
  return out;
}

Preprocess::Preprocess(const DataSource& source, Shape shape)
    : shape_(std::move(shape)),
      mean_(per_channel(source, source.mean, shape_[0], "mean", 0)),
      deviation_(per_channel(source, source.deviation, shape_[0], "deviation", 1)) {
  for (size_t c = 0; c < mean_.size(); ++c) {
    if (!std::isfinite(mean_[c]) || !std::isfinite(deviation_[c]) || deviation_[c] == 0) {
      fail(Code::Data,
           "{}: channel {} has mean {} and deviation {}; wanted numbers, and a deviation "
           "that is not 0",
           source.images.string(), c, mean_[c], deviation_[c]);
    }
    for (int value = 0; value < 256; ++value) {
      table_.push_back((static_cast<float>(value) / 255.0f - mean_[c]) / deviation_[c]);
    }
  }
}

void Preprocess::write(const PixelView& pixels, std::span<float> out) const {
  if (pixels.height == shape_[1] && pixels.width == shape_[2]) {
    look_up(pixels, out);
  } else {
    resize(pixels, out);
  }
}

void Preprocess::look_up(const PixelView& pixels, std::span<float> out) const {
  const auto channels = static_cast<size_t>(pixels.channels);
  const auto area = static_cast<size_t>(pixels.height * pixels.width);
  for (size_t c = 0; c < channels; ++c) {
    const float* table = &table_[c * 256];
    for (size_t i = 0; i < area; ++i) out[c * area + i] = table[pixels.bytes[i * channels + c]];
  }
}

void Preprocess::resize(const PixelView& pixels, std::span<float> out) const {
  const std::vector<Tap> rows = taps(pixels.height, shape_[1]);
  const std::vector<Tap> columns = taps(pixels.width, shape_[2]);
  const auto channels = static_cast<size_t>(pixels.channels);
  const size_t stride = static_cast<size_t>(pixels.width) * channels;
  size_t next = 0;
  for (size_t c = 0; c < channels; ++c) {
    const auto value = [&](size_t row, size_t column) {
      return static_cast<float>(pixels.bytes[row * stride + column * channels + c]) / 255.0f;
    };
    for (const Tap& row : rows) {
      for (const Tap& column : columns) {
        const float upper =
            mixed(value(row.first, column.first), value(row.first, column.second), column.share);
        const float lower =
            mixed(value(row.second, column.first), value(row.second, column.second), column.share);
        out[next++] = (mixed(upper, lower, row.share) - mean_[c]) / deviation_[c];
      }
    }
  }
}

}  // namespace octet
