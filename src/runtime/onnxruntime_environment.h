#pragma once

#include <onnxruntime_cxx_api.h>

#include <filesystem>

#include "base/fail.h"
#include "base/text.h"

namespace octet {

/// The one environment of the process.
Ort::Env& onnxruntime_environment();

/// All of ONNX Runtime's own optimizations; threads that wait sleep. `threads` 0: as many as the
/// machine has.
Ort::SessionOptions onnxruntime_options(int threads);

/// ONNX Runtime's exceptions about a file as ours.
template <class Work>
auto translated(const std::filesystem::path& path, Code code, Work work) {
  try {
    return work();
  } catch (const Ort::Exception& error) {
    fail(code, "{}: ONNX Runtime refuses it: {}", path.string(), first_line(error.what()));
  }
}

}  // namespace octet
