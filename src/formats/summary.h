#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace octet {

/// One operator of a file and the type that it computes in.
struct FileOperator {
  std::string op;    ///< "Conv", "QLinearConv", "CONV_2D"
  std::string node;  ///< its name, or that of its first output
  std::string type;  ///< element type of its first output: "uint8", "float32", "int64"
};

/// What a network file holds, whoever made it.
struct FileSummary {
  std::vector<FileOperator> operators;  ///< in order
  int64_t parameters = 0;  ///< elements of weights and other constants; no scales, no zero points
  int64_t multiply_adds = 0;  ///< of convolutions and matrix products for one image
};

/// An ONNX file of any domain, not checked: made for the optimized graphs that ONNX Runtime saves,
/// too. Throws Code::Model when it is not ONNX. Types follow from the operators that change them
/// (QuantizeLinear, QLinear..., DequantizeLinear, Cast, Shape); all others keep their input's.
FileSummary summarize_onnx(const std::filesystem::path& path);

/// A TFLite file. Throws Code::Model when it is not one.
FileSummary summarize_tflite(const std::filesystem::path& path);

}  // namespace octet
