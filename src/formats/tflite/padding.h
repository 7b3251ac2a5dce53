#pragma once

#include <array>

#include "formats/tflite/lower.h"
#include "ops/window.h"

namespace octet::lite {

/// How TFLite pads a sliding window, for the actual extents of one node.
struct Padding {
  /// SAME or VALID where one of them pads alike; VALID after an explicit pad otherwise.
  tflite::Padding scheme = tflite::Padding_VALID;
  bool exact = true;                   ///< no explicit pad is needed
  std::array<int64_t, 2> begin{0, 0};  ///< the explicit pad
  std::array<int64_t, 2> end{0, 0};
};

/// `in` and `out` are the node's input and output shapes (NCHW).
Padding padding_of(const Window& window, const Shape& in, const Shape& out);

/// What padding holds: the real number zero, or the smallest number of the type.
enum class Fill : uint8_t { Zero, Lowest };

/// The NHWC tensor `input` (of the node's first input), with rows and columns around it.
int pad_image(Lowering& to, const Node& node, int input, const Padding& padding,
              Fill fill = Fill::Zero);

}  // namespace octet::lite
