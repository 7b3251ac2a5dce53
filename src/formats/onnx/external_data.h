#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace onnx {
class TensorProto;
}

namespace octet {

/// A part of a file that holds a tensor's data (onnx.proto, TensorProto.external_data: location,
/// offset and length; relative to the folder of the model).
class ExternalData {
 public:
  /// Looks the part up, before memory is asked for it. `wanted`: the bytes of the tensor. Throws
  /// Code::Model naming the tensor and the file: a path that leaves `folder` (also by a link), no
  /// such file, an offset or length that is no number or does not fit, fewer bytes than wanted.
  ExternalData(const onnx::TensorProto& tensor, const std::filesystem::path& folder,
               uint64_t wanted);

  /// Reads the part; `out` has the wanted size. Throws Code::Io.
  void read(std::span<std::byte> out) const;

 private:
  std::filesystem::path path_;
  uint64_t offset_ = 0;
};

}  // namespace octet
