#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace octet::bench {

/// The files of one network, and what was found when they were compared.
struct RuntimeFiles {
  std::filesystem::path float_onnx;
  std::filesystem::path int8_onnx;
  std::filesystem::path int8_tflite;
  std::vector<std::filesystem::path> quantizer_onnx;  ///< ONNX Runtime's own, in QDQ and QOperator
  std::vector<float> image;                           ///< NCHW, one
  std::vector<float> image_channels_last;
  double sqnr = 0;            ///< of our ONNX file against float, in decibels
  double quantizer_sqnr = 0;  ///< of ONNX Runtime's QDQ file
  size_t in_float = 0;        ///< operators of both our files that their runtimes compute in float
};

/// Quantizes a float network for both targets, calibrated on four images of normal numbers, and
/// lets ONNX Runtime's quantizer do so on the same images; what it made before is used again.
/// Throws Code::Runtime where octet's executor and ONNX Runtime differ in float by more than 1e-4,
/// or one of our files differs from its exact simulation in a bit.
RuntimeFiles make_files(const std::filesystem::path& float_onnx);

}  // namespace octet::bench
