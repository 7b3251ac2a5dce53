#include "runtime/look.h"

#include "base/fail.h"

namespace octet {

std::unique_ptr<Look> look_into(const std::filesystem::path& path, std::vector<HeldValue> held) {
  if (path.extension() == ".onnx") return look_into_onnxruntime(path, std::move(held));
  if (path.extension() == ".tflite") return look_into_tflite(path, std::move(held));
  fail(Code::Usage,
       "{}: which runtime computes this file is told by its extension; wanted .onnx or .tflite",
       path.string());
}

}  // namespace octet
