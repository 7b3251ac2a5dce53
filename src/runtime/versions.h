#pragma once

#include <string>

namespace octet {

std::string onnxruntime_version();  ///< "1.23.2"
std::string tflite_version();       ///< "2.14.1"

}  // namespace octet
