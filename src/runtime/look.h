#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "formats/held_value.h"
#include "graph/tensor.h"

namespace octet {

/// The integers of a value as a file's runtime computed them, in the graph's order (images NCHW)
/// and the file's type.
struct SeenValue {
  ValueId value = kAbsent;
  Tensor integers;
};

/// What a runtime computed for the images that it takes at a time.
struct Seen {
  int64_t images = 0;
  std::vector<SeenValue> values;
  std::vector<float> logits;  ///< row-major [images, classes]
};

/// A file opened in the runtime that deploys it, to see every integer tensor on the way. Operators
/// are fused and kernels chosen as when the file is used.
class Look {
 public:
  virtual ~Look() = default;
  virtual std::string runtime() const = 0;  ///< "ONNX Runtime 1.23.2"
  /// Shape of one image as the file wants it, without the batch.
  virtual Shape image_shape() const = 0;
  /// Images are given in multiples of this.
  virtual int64_t batch() const { return 1; }
  /// Runs `count` images in the file's own layout; a few at a time, because all tensors of all of
  /// them are in memory. Throws Code::Runtime.
  virtual std::vector<Seen> run(std::span<const float> images, int64_t count) = 0;
};

/// By extension: .onnx or .tflite; Code::Usage for others. `held`: the tensors to look at. Throws
/// Code::Model: not such a file, truncated, or naming the first tensor that it lacks.
std::unique_ptr<Look> look_into(const std::filesystem::path& path, std::vector<HeldValue> held);

/// ONNX: the tensors become outputs of the network. They are results of QuantizeLinear and of
/// operators on integers, so ONNX Runtime fuses around them as it does without.
std::unique_ptr<Look> look_into_onnxruntime(const std::filesystem::path& path,
                                            std::vector<HeldValue> held);

/// TFLite's tensors are copied as soon as they are made (it tells a profiler). It may abort the
/// process on odd files, so each run is a child process (base/child_process.h), on one thread. That
/// is safe: of what other threads of this process use, the child touches malloc alone.
std::unique_ptr<Look> look_into_tflite(const std::filesystem::path& path,
                                       std::vector<HeldValue> held);

}  // namespace octet
