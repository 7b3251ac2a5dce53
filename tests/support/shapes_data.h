#pragma once

#include <random>

#include "support/data_files.h"
#include "support/temp_folder.h"

namespace octet {

/// Writes a data set that a small network learns in seconds, and its description "data.yaml": grey
/// 12x12 images of a bright bar (class 0: level, 1: upright, 2: none, 3: both) with noise.
inline std::filesystem::path write_bars(const TempFolder& folder, uint32_t train, uint32_t test) {
  std::mt19937 random(5);
  const auto write = [&](const std::string& part, uint32_t count) {
    std::string pixels;
    std::string labels;
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t label = i % 4;
      const uint32_t row = 1 + random() % 10;
      const uint32_t column = 1 + random() % 10;
      for (uint32_t y = 0; y < 12; ++y) {
        for (uint32_t x = 0; x < 12; ++x) {
          const bool level = (label == 0 || label == 3) && y == row;
          const bool upright = (label == 1 || label == 3) && x == column;
          pixels.push_back(static_cast<char>((level || upright ? 150 : 20) + random() % 60));
        }
      }
      labels.push_back(static_cast<char>(label));
    }
    folder.write(part + "-images", idx_bytes({count, 12, 12}, pixels));
    folder.write(part + "-labels", idx_bytes({count}, labels));
  };
  write("train", train);
  write("test", test);
  return folder.write("data.yaml",
                      "classes: 4\nmean: [0.2]\ndeviation: [0.2]\nvalidation: 0.1\n"
                      "train: {format: idx, images: train-images, labels: train-labels}\n"
                      "test: {format: idx, images: test-images, labels: test-labels}\n");
}

}  // namespace octet
