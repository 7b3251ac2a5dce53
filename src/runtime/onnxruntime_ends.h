#pragma once

#include <onnxruntime_cxx_api.h>

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "graph/tensor.h"
#include "kernels/quantize.h"

namespace octet {

/// The only input or output of an ONNX file of images.
struct OnnxRuntimeEnd {
  std::string name;
  DType type = DType::Float32;  ///< or Int8, UInt8; Int64 is an input of tokens
  Grid grid = {};               ///< of integers, which the file's metadata state (onnx_file.h)
  Shape shape;                  ///< as the file states it; open dimensions are below zero
};

/// Throw Code::Model where it has another type, or no grid is known of its integers.
OnnxRuntimeEnd input_end(const Ort::Session& session, const std::filesystem::path& path);
OnnxRuntimeEnd output_end(const Ort::Session& session, const std::filesystem::path& path);

/// Images as the file takes them: real numbers as they are, else rounded to the grid (halves to
/// even). It may hold no data of its own: `images` must outlive it.
class StoredImages {
 public:
  StoredImages(std::span<const float> images, const OnnxRuntimeEnd& end, const Shape& shape);
  const Ort::Value& value() const { return value_; }

 private:
  std::vector<std::byte> bytes_;
  Ort::Value value_{nullptr};
};

/// Appends the real numbers of an output.
void append_reals(const Ort::Value& made, const OnnxRuntimeEnd& end, std::vector<float>& out);

}  // namespace octet
