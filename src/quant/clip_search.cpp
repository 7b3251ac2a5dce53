#include "quant/clip_search.h"

#include <algorithm>
#include <cmath>

namespace octet {

Steps steps_of(const Range& range, const RangeQuestion& question) {
  double low = std::min(static_cast<double>(range.low), 0.0);
  double high = std::max(static_cast<double>(range.high), 0.0);
  if (question.symmetric) {
    high = std::max(-low, high);
    low = -high;
  }
  const auto count = static_cast<double>(question.steps);
  const double scale = std::max((high - low) / count, 1e-12);
  const double below = std::clamp(std::nearbyint(-low / scale), 0.0, count);
  return {scale, -below * scale, (count - below) * scale};
}

double rounding_error(const Histogram& histogram, const Steps& steps, double norm) {
  const auto counts = histogram.counts();
  const double width = histogram.width();
  const double inverse = 1 / steps.scale;
  double sum = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const double bin = static_cast<double>(histogram.first() + static_cast<int64_t>(i));
    const double value = (bin + 0.5) * width;
    const double nearest =
        std::clamp(std::nearbyint(value * inverse) * steps.scale, steps.low, steps.high);
    const double gap = std::abs(value - nearest);
    sum += static_cast<double>(counts[i]) * (norm == 2 ? gap * gap : std::pow(gap, norm));
  }
  return sum;
}

Range least_loss(const Range& whole, const std::function<double(const Range&)>& loss) {
  constexpr int kTogether = 64;
  constexpr int kAlone = 12;
  if (whole.empty) return whole;
  Range best = whole;
  double least = loss(whole);
  const auto take = [&](const Range& candidate) {
    const double found = loss(candidate);
    if (found >= least) return;
    least = found;
    best = candidate;
  };
  for (int i = 1; i < kTogether; ++i) {
    const float share = static_cast<float>(i) / kTogether;
    take({whole.low * share, whole.high * share, false});
  }
  const Range start = best;
  for (int i = -kAlone; i <= kAlone; ++i) {
    const float share = 1 + static_cast<float>(i) / (2 * kAlone);
    take({std::max(start.low * share, whole.low), best.high, false});
  }
  const float low = best.low;
  for (int i = -kAlone; i <= kAlone; ++i) {
    const float share = 1 + static_cast<float>(i) / (2 * kAlone);
    take({low, std::min(start.high * share, whole.high), false});
  }
  return best;
}

}  // namespace octet
