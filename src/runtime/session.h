#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/tensor.h"

namespace octet {

/// One operator of a file, as the runtime will really execute it.
struct OperatorUse {
  std::string name;        ///< the runtime's name: "QLinearConv", "CONV_2D"
  std::string node;        ///< name of the node or of its first output
  std::string arithmetic;  ///< "int8", "uint8", "float32", "int64", ..., "dynamic-int8"
};

/// A network file opened in the runtime that deploys it. One input of images (float32) or of tokens
/// (whole numbers, given as floats), one output of logits (float32). Where a file has int8 or uint8
/// at its ends, images are quantized and logits dequantized here, by the grids that the file states
/// and with the runtime's own rounding.
class Session {
 public:
  virtual ~Session() = default;
  virtual std::string runtime() const = 0;  ///< "ONNX Runtime 1.23.2"
  /// Shape of one image as the file wants it, without the batch: 1x28x28 (ONNX), 28x28x1 (TFLite).
  virtual Shape image_shape() const = 0;
  /// Shape of the output for one image; of a classifier the number of classes.
  virtual Shape output_shape() const = 0;
  /// Numbers of the output per image.
  int64_t class_count() const { return element_count(output_shape()); }
  /// Logits, row-major [count, class_count()], of `count` images in the file's own layout.
  virtual std::vector<float> run(std::span<const float> images, int64_t count) = 0;
  /// The operators after the runtime's own optimization.
  virtual std::vector<OperatorUse> operators() = 0;
};

/// Opens an ONNX file in ONNX Runtime. `threads` 0: as many as the machine has. Throws Code::Model
/// (not a network of one image input and one logits output) or Code::Runtime.
std::unique_ptr<Session> open_onnxruntime(const std::filesystem::path& path, int threads);

enum class TfliteKernels : uint8_t { Optimized, Reference };

/// Opens a TFLite file in TFLite's interpreter. Errors as above.
std::unique_ptr<Session> open_tflite(const std::filesystem::path& path, int threads,
                                     TfliteKernels kernels = TfliteKernels::Optimized);

/// By extension: .onnx or .tflite. Code::Usage for others.
std::unique_ptr<Session> open_session(const std::filesystem::path& path, int threads);

}  // namespace octet
