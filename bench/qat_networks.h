#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace octet::bench {

/// A float network as training takes it (simplified, so without BatchNormalizations behind
/// convolutions), and a batch, in files that both sides read.
struct QatNetwork {
  std::string name;  ///< with the input's size
  std::filesystem::path model;
  std::filesystem::path images;  ///< raw floats NCHW
  std::filesystem::path labels;  ///< raw int64
  int64_t batch = 0;
};

/// In the benchmarks' folder: of an ONNX file, or of the name of an architecture, of 10 classes and
/// images of 3 x `side` x `side`. Normalizations of what is made here get the statistics of the
/// batch: with fresh ones activations would grow or shrink from layer to layer.
QatNetwork qat_network(const std::string& name, int64_t side, int64_t batch);

at::Tensor read_images(const QatNetwork& network);
at::Tensor read_labels(const QatNetwork& network);

}  // namespace octet::bench
