#include "kernels/rank.h"

#include <algorithm>

namespace octet {

int64_t rank_of(std::span<const float> logits, int64_t label) {
  const float own = logits[static_cast<size_t>(label)];
  int64_t before = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] > own || (logits[i] == own && static_cast<int64_t>(i) < label)) ++before;
  }
  return before;
}

int64_t prediction(std::span<const float> logits) {
  return std::ranges::max_element(logits) - logits.begin();
}

}  // namespace octet
