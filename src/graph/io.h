#pragma once

#include <cstdint>

namespace octet {

/// What stands at the ends of a quantized file.
enum class Io : uint8_t {
  Float,  ///< float32, quantized and dequantized inside
  Int8,   ///< integers on the grids of the input and of the output
  UInt8,  ///< the same, moved by 128
};

}  // namespace octet
