#pragma once

#include <onnxruntime_cxx_api.h>

namespace octet {

/// The one environment of the process.
Ort::Env& onnxruntime_environment();

/// All of ONNX Runtime's own optimizations; threads that wait sleep. `threads` 0: as many as the
/// machine has.
Ort::SessionOptions onnxruntime_options(int threads);

}  // namespace octet
