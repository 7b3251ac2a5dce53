#include "formats/tflite/padding.h"

#include <algorithm>

namespace octet::lite {

Padding padding_of(const Window& window, const Shape& in, const Shape& out) {
  Padding padding;
  bool same = true;
  bool valid = true;
  for (size_t d = 0; d < 2; ++d) {
    const int64_t extent = in[d + 2];
    const int64_t stride = window.stride[d];
    const int64_t reach = (window.kernel[d] - 1) * window.dilation[d] + 1;
    const int64_t needed = (out[d + 2] - 1) * stride + reach - extent;  // by the last window
    padding.begin[d] = window.begin[d];
    padding.end[d] = std::max<int64_t>(0, needed - window.begin[d]);
    valid = valid && window.begin[d] == 0 && needed <= 0;
    same = same && out[d + 2] == (extent + stride - 1) / stride &&
           window.begin[d] == std::max<int64_t>(0, needed) / 2;
  }
  padding.exact = same || valid;
  if (same && !valid) padding.scheme = tflite::Padding_SAME;
  return padding;
}

int pad_image(Lowering& to, const Node& node, int input, const Padding& padding, Fill fill) {
  const ValueId id = node.inputs[0];
  const auto [begin, end] = std::pair(padding.begin, padding.end);
  Shape shape = permuted(to.shape(id), kToChannelsLast);
  shape[1] += begin[0] + end[0];
  shape[2] += begin[1] + end[1];
  const std::string name = node.name + "/pad";
  const QuantParams& params = to.grid(node, id);
  const int out = to.inner(name, shape, params);
  const std::vector<int64_t> amounts{0, 0, begin[0], end[0], begin[1], end[1], 0, 0};
  const int pads = to.numbers(name + "/amounts", amounts, Shape{4, 2});
  if (fill == Fill::Zero) {
    to.emit(tflite::BuiltinOperator_PAD, 2, options_of(tflite::PadOptionsT{}), {input, pads},
            {out});
    return out;
  }
  const int value = to.lowest_number(name + "/fill", params);
  to.emit(tflite::BuiltinOperator_PADV2, 2, options_of(tflite::PadV2OptionsT{}),
          {input, pads, value}, {out});
  return out;
}

}  // namespace octet::lite
