#include "runtime/session.h"

#include "base/fail.h"

namespace octet {

std::unique_ptr<Session> open_session(const std::filesystem::path& path, int threads) {
  const std::string extension = path.extension().string();
  if (extension == ".onnx") return open_onnxruntime(path, threads);
  if (extension == ".tflite") return open_tflite(path, threads);
  fail(Code::Usage,
       "{}: which runtime opens this file is told by its extension; wanted .onnx or "
       ".tflite",
       path.string());
}

}  // namespace octet
