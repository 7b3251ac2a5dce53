#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace octet::conformance {

/// What one network went through, as far as it came.
struct NetworkRow {
  std::string name;
  int64_t parameters = 0;
  int64_t multiply_adds = 0;  ///< of one image
  double imported = -1;       ///< relative error of the executor's output against ONNX Runtime's
  double fused = -1;          ///< the same after `simplify`
  double onnx_sqnr = 0;       ///< dB, deployed ONNX INT8 against its dialect; infinite: equal
  double tflite_sqnr = 0;
  double float_sqnr = 0;   ///< dB, deployed ONNX INT8 against the float network
  double twin_sqnr = 0;    ///< dB, deployed TFLite INT8 against deployed ONNX INT8
  int64_t transposes = 0;  ///< in the TFLite file
  std::vector<std::string> in_float;
  std::string failure;  ///< one line; empty where all points hold
};

/// Runs the float network `model` through import, fusion, PTQ with 32 inputs and both files, and
/// compares each stage with the runtime that deploys it (relative error <= 1e-4, simulation against
/// ONNX Runtime >= 30 dB, against TFLite >= 25 dB, nothing in float). `folder` takes the files.
NetworkRow check_network(const std::filesystem::path& model, const std::filesystem::path& folder);

}  // namespace octet::conformance
