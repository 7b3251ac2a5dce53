#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "octet/progress.h"

namespace octet {

struct GridOptions {
  /// In columns, each of words: per-channel or per-tensor, asymmetric or symmetric, narrow or full,
  /// power-of-two, dynamic, and for TFLite int16 (activations), int4 (weights). Empty: those of
  /// `grid_schemes`.
  std::vector<std::string> schemes;
  /// Ways to choose ranges and to refine, in rows: an observer ("mse"), or an observer with methods
  /// ("percentile+bias-correction"). Empty: every observer alone, and "percentile" with every
  /// method.
  std::vector<std::string> ways;
  std::string format = "onnx";       ///< or "tflite": the files that are measured
  int64_t calibration_images = 256;  ///< of the training images, chosen by seed
  int64_t test_images = 0;           ///< so many of the test images, chosen by seed; 0: all
  uint64_t seed = 1;
};

/// A file, made in one way and measured in its runtime.
struct GridCell {
  std::string scheme;
  std::string way;
  double validation = 0;  ///< top-1 on the training images that are held back, percent
  double test = 0;        ///< top-1 on the test images
  double seconds = 0;     ///< of what comes after the look at the images
  std::string refusal;    ///< why there is no such file; else empty
};

struct GridReport {
  std::string model;
  std::string runtime;
  int64_t calibration_images = 0;
  int64_t validation_images = 0;
  int64_t test_images = 0;
  uint64_t seed = 0;
  double float_validation = 0;  ///< of the float network
  double float_test = 0;
  std::vector<GridCell> cells;  ///< scheme by scheme

  /// The cell of a scheme with the best top-1 on held-back images; the first of equals. nullptr
  /// where the scheme has none.
  const GridCell* chosen(const std::string& scheme) const;
  std::string markdown() const;  ///< a row per way, a column per scheme
  std::string json() const;
};

/// The schemes that `grid` tries where none are named, for "onnx" or "tflite".
std::vector<std::string> grid_schemes(const std::string& format);

/// Quantizes a float network in every way and measures each file: for each scheme the images are
/// looked at once, and every observer chooses from what was seen; methods that change the float
/// network look again. Dynamic ranges have one row, without a look. A combination that cannot be
/// had is a cell with its refusal. Which way is best is to be chosen on held-back training images
/// (`GridReport::chosen`); the test images only report.
GridReport grid(const std::filesystem::path& model, const std::filesystem::path& data,
                const GridOptions& options = {}, const ProgressSink& progress = {});

}  // namespace octet
