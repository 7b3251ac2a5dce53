#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace octet::bench {

/// All of octet's post-training quantization: reads the network, looks at the first `images` of the
/// data once, keeps that look as PREFIX.calib, and writes PREFIX.OBSERVER.onnx and .tflite for
/// every observer that there is. Files are not verified.
void quantize_by_every_observer(const std::filesystem::path& model,
                                const std::filesystem::path& data, int64_t images,
                                const std::string& prefix);

}  // namespace octet::bench
