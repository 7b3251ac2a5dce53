#include "runtime/tflite_ends.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace octet {
namespace {

template <class T>
void quantize_into(std::span<const float> image, tflite::Interpreter& interpreter) {
  const TfLiteQuantizationParams& grid = interpreter.input_tensor(0)->params;
  std::ranges::transform(image, interpreter.typed_input_tensor<T>(0), [&](float real) {
    const double steps = std::round(static_cast<double>(real) / static_cast<double>(grid.scale));
    return static_cast<T>(std::clamp<double>(steps + grid.zero_point, std::numeric_limits<T>::min(),
                                             std::numeric_limits<T>::max()));
  });
}

template <class T>
void dequantize_from(const tflite::Interpreter& interpreter, std::span<float> out) {
  const TfLiteQuantizationParams& grid = interpreter.output_tensor(0)->params;
  const std::span<const T> integers(interpreter.typed_output_tensor<T>(0), out.size());
  std::ranges::transform(integers, out.begin(), [&](T integer) {
    return grid.scale * static_cast<float>(integer - grid.zero_point);
  });
}

}  // namespace

bool is_end(const TfLiteTensor& tensor) {
  const bool integer = tensor.type == kTfLiteInt8 || tensor.type == kTfLiteUInt8;
  return tensor.type == kTfLiteFloat32 || (integer && tensor.params.scale > 0);
}

void put_image(std::span<const float> image, tflite::Interpreter& interpreter) {
  switch (interpreter.input_tensor(0)->type) {
    case kTfLiteInt32:
      std::ranges::transform(image, interpreter.typed_input_tensor<int32_t>(0),
                             [](float number) { return static_cast<int32_t>(number); });
      break;
    case kTfLiteInt8: quantize_into<int8_t>(image, interpreter); break;
    case kTfLiteUInt8: quantize_into<uint8_t>(image, interpreter); break;
    default: std::ranges::copy(image, interpreter.typed_input_tensor<float>(0));
  }
}

void take_logits(const tflite::Interpreter& interpreter, std::span<float> out) {
  switch (interpreter.output_tensor(0)->type) {
    case kTfLiteInt8: dequantize_from<int8_t>(interpreter, out); break;
    case kTfLiteUInt8: dequantize_from<uint8_t>(interpreter, out); break;
    default: std::copy_n(interpreter.typed_output_tensor<float>(0), out.size(), out.begin());
  }
}

}  // namespace octet
