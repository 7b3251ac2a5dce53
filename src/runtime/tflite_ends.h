#pragma once

#include <span>

#include "tensorflow/lite/interpreter.h"

namespace octet {

/// The tensor can be the end of a file of images: real numbers, or int8 or uint8 on a grid.
bool is_end(const TfLiteTensor& tensor);

/// One image into the only input: as it is, quantized where the input holds integers (as TFLite's
/// QUANTIZE does it: the quotient in double, halves away from zero), or as tokens (int32).
void put_image(std::span<const float> image, tflite::Interpreter& interpreter);

/// The real numbers of the only output.
void take_logits(const tflite::Interpreter& interpreter, std::span<float> out);

}  // namespace octet
