#pragma once

#include <cstdint>
#include <filesystem>

namespace octet::bench {

/// Images of 3x224x224 that both sides read: smooth colours with noise, from a fixed seed.
struct PtqImages {
  std::filesystem::path idx;        ///< bytes [number, height, width, channels]
  std::filesystem::path data_yaml;  ///< the data description of these
};

/// In the benchmarks' folder, made where they are missing.
PtqImages ptq_images(int64_t count);

}  // namespace octet::bench
