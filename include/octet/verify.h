#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "octet/progress.h"

namespace octet {

/// A value of a quantized network, as the runtime of a file computed its integers, against the
/// simulation of that runtime and against the float network.
struct CheckedTensor {
  std::string name;       ///< of the value in the network
  int64_t elements = 0;   ///< compared, over all images
  int64_t differing = 0;  ///< elements whose integers are others than the simulation's
  int64_t largest = 0;    ///< difference, in steps of the value's grid
  int32_t deployed = 0;   ///< the first integers that differ: the file's, on the int8 grid,
  int32_t simulated = 0;  ///< and the simulation's
  double sqnr = 0;        ///< dB, of the file's numbers against the float network's
  /// A node that computes in float between integers comes before it: float sums may be rounded
  /// otherwise there, which can make a step of difference.
  bool after_float = false;
};

/// What is known of a file: every intermediate value that it keeps, and its predictions.
struct Certificate {
  std::string file;
  std::string runtime;  ///< "ONNX Runtime 1.23.2"
  int64_t images = 0;
  std::vector<CheckedTensor> tensors;  ///< in order of execution
  double same_as_simulated = 0;        ///< percent of images with the simulation's prediction
  double same_as_float = 0;            ///< and with the float network's
  std::vector<std::string> in_float;   ///< nodes that stay in float, each with the reason
  /// Steps that are allowed. Not given: 0, but any number after a node that stays in float.
  std::optional<int64_t> limit;

  /// The first value where file and simulation part; nullptr where all integers are equal.
  const CheckedTensor* first_parting() const;
  int64_t largest() const;      ///< difference of all, in steps
  std::string refusal() const;  ///< one line where a difference is not allowed; else empty
  std::string summary() const;  ///< one line
  std::string text() const;     ///< a table for a terminal, a line per value, and the summary
  std::string json() const;
};

struct VerifyOptions {
  int64_t images = 32;           ///< of the training images that are held back; 1 or more
  std::optional<int64_t> limit;  ///< `Certificate::limit`; 0 or more
};

/// Runs a .onnx or .tflite file in its runtime beside the exact simulation of that runtime, value
/// by value. `against`: the network file (.octet) that the file was made from, or the float network
/// (.onnx), whose parameters and integers are then taken from the file itself.
/// `data`: a data description with training images; those that are held back from training
/// (validation) are used, in the order of the network's seed, or all where none are held back. A
/// difference throws nothing: look at `Certificate::refusal`. Throws Code::Model naming the first
/// value that shows the file to be another network's.
Certificate verify(const std::filesystem::path& file, const std::filesystem::path& against,
                   const std::filesystem::path& data, const VerifyOptions& options = {},
                   const ProgressSink& progress = {});

}  // namespace octet
