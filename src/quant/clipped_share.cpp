#include "quant/clipped_share.h"

#include <algorithm>

namespace octet {

double clipped_share(const Histogram& histogram, const QuantParams& grid) {
  if (histogram.count() == 0) return 0;
  const double scale = grid.scale[0];
  const double zero = grid.zero_point[0];
  const double low = scale * (grid.low - zero - 0.5);
  const double high = scale * (grid.high - zero + 0.5);
  if (histogram.range().low >= low && histogram.range().high <= high) return 0;
  const auto counts = histogram.counts();
  const double width = histogram.width();
  double inside = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    const double start = static_cast<double>(histogram.first() + static_cast<int64_t>(i)) * width;
    const double overlap = std::min(start + width, high) - std::max(start, low);
    inside += static_cast<double>(counts[i]) * std::clamp(overlap / width, 0.0, 1.0);
  }
  return std::clamp(1 - inside / static_cast<double>(histogram.count()), 0.0, 1.0);
}

}  // namespace octet
