#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "octet/progress.h"

namespace octet {

/// One state of a network, measured: a row of the report.
struct State {
  std::string name;     ///< "float", "quantized", "qat", "onnx-int8", "tflite-int8"
  std::string format;   ///< "ONNX FP32", "simulated", "ONNX INT8", "TFLite INT8"
  std::string runtime;  ///< "ONNX Runtime 1.23.2", "LibTorch 2.14.1", "TFLite 2.14.1"
  std::string path;     ///< the file; empty for simulated states
  int64_t images = 0;   ///< of a text: sequences
  double top1 = 0;      ///< percent; ties go to the lowest class. Of a text: of the next tokens
  double top5 = 0;
  /// Of a text: e to the mean cross entropy of the next tokens; absent for images.
  std::optional<double> perplexity;
  int64_t size_bytes = 0;  ///< of the file; 0 for simulated states
  double latency_ms = 0;   ///< batch 1, one thread, median
  /// Percent of images with the prediction of the state "qat"; absent where there is no such state.
  std::optional<double> agreement;
};

/// The state as a JSON object, as in the report.
std::string to_json(const State& state);

/// Writes a text file, whole or not at all.
void write_text(const std::filesystem::path& path, const std::string& text);

struct EvaluateOptions {
  std::string part = "test";  ///< which part of the data description: "test" or "train"
  int64_t batch = 100;
  int64_t latency_runs = 100;
};

/// Runs an ONNX or TFLite file in its runtime over labelled images, or an ONNX file over a text
/// (`data`: a data description).
State evaluate(const std::filesystem::path& model, const std::filesystem::path& data,
               const EvaluateOptions& options = {}, const ProgressSink& progress = {});

}  // namespace octet
