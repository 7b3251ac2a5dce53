#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "octet/quantize.h"

namespace octet {

struct ConvertOptions {
  std::vector<std::string> targets;  ///< empty: the ones that the outputs' extensions name
  std::string form = "qdq";          ///< of ONNX files: "qdq" or "qoperator"
  /// A data description, whose training images calibrate what the file leaves in float; empty: the
  /// file has to be quantized throughout.
  std::filesystem::path data;
  /// Where a target cannot have a parameter as it is, change it or round once more, and say so,
  /// instead of refusing: see `ConvertResult::changes`.
  bool allow_requantize = false;
  int64_t calibration_images = 1024;  ///< of the training images, chosen by seed
  std::string observer = "percentile";
  double percentile = 99.99;
  std::string bad_images = "fail";  ///< as in QuantizeOptions
  uint64_t seed = 1;
  std::vector<std::string> shapes;  ///< as in QuantizeOptions
};

struct ConvertResult {
  int64_t carried = 0;     ///< tensors whose scales, zero points and integers are those of the file
  int64_t calibrated = 0;  ///< tensors that got theirs from images
  /// What is not as in the file, by tensor: parameters that are others, roundings that come in.
  std::vector<std::string> changes;
  std::vector<std::string> notes;     ///< what is derived, and where the file is used otherwise
  std::vector<std::string> passes;    ///< what was rewritten: "simplify_layout: 2"
  std::vector<std::string> in_float;  ///< nodes that stay in float, each with the reason
};

/// Writes a network that is quantized already (ONNX: QDQ or QOperator form, static, 8 bits) as INT8
/// files, .onnx or .tflite, with its parameters unchanged: scales, zero points, integer weights and
/// biases; uint8 and int8 activations are the same moved by 128. Biases in float are rounded to the
/// scale of their products. What the file leaves in float is calibrated on `options.data` and
/// quantized around what is given. Throws Code::Unsupported naming the tensor where a target cannot
/// have a parameter as it is, or where calibration would be needed and there is no data.
ConvertResult convert(const std::filesystem::path& model,
                      const std::vector<std::filesystem::path>& outputs,
                      const ConvertOptions& options = {}, const ProgressSink& progress = {});

}  // namespace octet
