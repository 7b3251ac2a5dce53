#include "eval/image_layout.h"

#include "base/fail.h"
#include "base/text.h"

namespace octet {

bool wants_channels_last(const Shape& wanted, const Shape& chw) {
  if (wanted == chw) return false;
  if (chw.size() == 3 && wanted == Shape{chw[1], chw[2], chw[0]}) return true;
  fail(Code::Data,
       "the images are {}, the network wants {}; set 'size' and 'channels' in the data "
       "description, or use other data",
       shape_text(chw), shape_text(wanted));
}

std::vector<float> channels_last(std::span<const float> images, const Shape& chw) {
  std::vector<float> moved(images.size());
  const auto channels = static_cast<size_t>(chw[0]);
  const auto pixels = static_cast<size_t>(chw[1] * chw[2]);
  const size_t size = channels * pixels;
  for (size_t first = 0; first < images.size(); first += size) {
    for (size_t c = 0; c < channels; ++c) {
      for (size_t p = 0; p < pixels; ++p) {
        moved[first + p * channels + c] = images[first + c * pixels + p];
      }
    }
  }
  return moved;
}

}  // namespace octet
