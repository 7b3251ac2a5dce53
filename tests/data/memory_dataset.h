#pragma once

#include <chrono>
#include <thread>

#include "base/fail.h"
#include "data/dataset.h"

namespace octet {

/// Images whose pixels tell where they come from: image * 1000 + channel * 100 + place; labels are
/// the indices. Black is -1 - channel.
struct MemoryDataset : Dataset {
  MemoryDataset(int64_t images, Shape size_of_one)
      : count(images), dimensions(std::move(size_of_one)) {}

  int64_t size() const override { return count; }
  int64_t label(int64_t index) const override { return index; }
  Shape shape() const override { return dimensions; }
  float black(int64_t channel) const override { return static_cast<float>(-1 - channel); }
  void image(int64_t index, std::span<float> out) const override {
    if (index == broken) fail(Code::Data, "image {} cannot be read", index);
    if (delay.count() > 0) std::this_thread::sleep_for(delay);
    const int64_t area = dimensions[1] * dimensions[2];
    for (int64_t i = 0; i < element_count(dimensions); ++i) {
      out[static_cast<size_t>(i)] = static_cast<float>(index * 1000 + i / area * 100 + i % area);
    }
  }

  int64_t count;
  Shape dimensions;
  int64_t broken = -1;  ///< reading this one throws
  std::chrono::microseconds delay{0};
};

}  // namespace octet
