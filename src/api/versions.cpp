#include "runtime/versions.h"

#include <torch/headeronly/version.h>

#include <format>

#include "octet/octet.h"

namespace octet {

std::vector<std::pair<std::string, std::string>> versions() {
  return {{"octet", OCTET_VERSION},
          {"LibTorch",
           std::format("{}.{}.{}", TORCH_VERSION_MAJOR, TORCH_VERSION_MINOR, TORCH_VERSION_PATCH)},
          {"ONNX Runtime", onnxruntime_version()},
          {"TFLite", tflite_version()}};
}

}  // namespace octet
