#pragma once

#include <filesystem>
#include <vector>

#include "graph/tensor.h"

namespace onnx {
class ModelProto;
class TensorProto;
}  // namespace onnx

namespace octet {

/// The large tensors of a network, kept outside of its message: onnx's checker and converter would
/// copy them several times, and protobuf allows no message above 2 GiB. In the message a number
/// stands for them meanwhile.
class LargeTensors {
 public:
  /// Takes the network's large tensors out of the message, one after the other, so that no more
  /// than one of them is in memory twice. Small external data (from files in `folder`) move into
  /// the message: the converter looks at some of them. Throws what `read_tensor` throws.
  void take_out(onnx::ModelProto& model, const std::filesystem::path& folder);

  /// The tensor that the message holds or stands for; a large one can be had once.
  Tensor read(const onnx::TensorProto& proto);

 private:
  void take_out(onnx::TensorProto& proto, const std::filesystem::path& folder);

  std::vector<Tensor> held_;
};

}  // namespace octet
