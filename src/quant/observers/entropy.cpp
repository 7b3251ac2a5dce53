#include <cmath>
#include <vector>

#include "quant/clip_search.h"

namespace octet {
namespace {

/// Where a bin falls on the grid; values beyond its ends count for the end.
size_t step_at(double value, const Steps& steps, size_t count) {
  const double step = std::nearbyint((value - steps.low) / steps.scale);
  return static_cast<size_t>(std::clamp(step, 0.0, static_cast<double>(count)));
}

/// Kullback-Leibler divergence of the data, clipped, from what its integers can tell of it: within
/// a step all bins that have values are taken for equally full.
double divergence(const Histogram& histogram, const Steps& steps, size_t count) {
  const auto counts = histogram.counts();
  const double width = histogram.width();
  std::vector<double> mass(count + 1, 0.0);
  std::vector<double> filled(count + 1, 0.0);
  std::vector<double> clipped(count + 1, 0.0);  // mass from beyond the ends
  const auto middle = [&](size_t i) {
    return (static_cast<double>(histogram.first() + static_cast<int64_t>(i)) + 0.5) * width;
  };
  const auto beyond = [&](double value) {
    return value < steps.low - steps.scale / 2 || value > steps.high + steps.scale / 2;
  };
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const double value = middle(i);
    const size_t step = step_at(value, steps, count);
    (beyond(value) ? clipped : mass)[step] += static_cast<double>(counts[i]);
    if (!beyond(value)) ++filled[step];
  }
  // The outermost bins inside carry what was clipped (as in the reference distribution of the
  // method), and the integers' view of them does not.
  const auto all = static_cast<double>(histogram.count());
  double seen = 0;
  for (const double inside : mass) seen += inside;
  if (seen == 0) return std::numeric_limits<double>::infinity();
  double sum = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0 || beyond(middle(i))) continue;
    const size_t step = step_at(middle(i), steps, count);
    const double extra = clipped[step] / filled[step];
    const double p = (static_cast<double>(counts[i]) + extra) / all;
    const double q = mass[step] / filled[step] / seen;
    sum += p * std::log(p / q);
  }
  return sum;
}

}  // namespace

/// S. Migacz, "8-bit Inference with TensorRT", 2017; here with a bin for every 16th of a step and
/// ends that need not be symmetric.
Range entropy_range(const RangeQuestion& question) {
  const Histogram& histogram = question.sketch.histogram;
  return least_loss(histogram.range(), [&](const Range& range) {
    return divergence(histogram, steps_of(range, question), static_cast<size_t>(question.steps));
  });
}

}  // namespace octet
