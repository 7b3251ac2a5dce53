#include <cmath>
#include <limits>
#include <vector>

#include "quant/clip_search.h"

namespace octet {
namespace {

/// Where a bin falls on the grid; values beyond its ends count for the end.
size_t step_at(double value, const Steps& steps, size_t count) {
  const double step = std::nearbyint((value - steps.low) / steps.scale);
  return static_cast<size_t>(std::clamp(step, 0.0, static_cast<double>(count)));
}

/// The counts without the spike at 0 that a Relu leaves: zeros are exact on every grid, and say
/// nothing about its steps. Their bin counts as its neighbours do.
std::vector<int64_t> counts_without_zeros(const Histogram& histogram) {
  std::vector<int64_t> counts(histogram.counts().begin(), histogram.counts().end());
  const int64_t zero = -histogram.first();
  if (zero < 0 || zero >= std::ssize(counts)) return counts;
  const auto at = [&](int64_t i) {
    return i < 0 || i >= std::ssize(counts) ? int64_t{0} : counts[static_cast<size_t>(i)];
  };
  counts[static_cast<size_t>(zero)] = std::max(at(zero - 1), at(zero + 1));
  return counts;
}

/// Kullback-Leibler divergence of the data, clipped, from what its integers can tell of it: within
/// a step all bins that have values are taken for equally full.
double divergence(const Histogram& histogram, std::span<const int64_t> counts, const Steps& steps,
                  size_t count) {
  const double width = histogram.width();
  std::vector<double> mass(count + 1, 0.0);
  std::vector<double> filled(count + 1, 0.0);
  const auto middle = [&](size_t i) {
    return (static_cast<double>(histogram.first() + static_cast<int64_t>(i)) + 0.5) * width;
  };
  std::vector<size_t> inside;  // bins with values
  double below = 0;            // mass from beyond the ends
  double above = 0;
  double seen = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const double value = middle(i);
    const auto values = static_cast<double>(counts[i]);
    if (value < steps.low - steps.scale / 2) {
      below += values;
    } else if (value > steps.high + steps.scale / 2) {
      above += values;
    } else {
      const size_t step = step_at(value, steps, count);
      mass[step] += values;
      ++filled[step];
      inside.push_back(i);
      seen += values;
    }
  }
  if (inside.empty()) return std::numeric_limits<double>::infinity();
  // The outermost bins inside carry what was clipped (as in the reference distribution of the
  // method), and the integers' view of them does not. Where steps are finer than bins, the
  // outermost steps may have no bin: so these are the outermost that have values.
  const double all = below + seen + above;
  double sum = 0;
  for (const size_t i : inside) {
    const size_t step = step_at(middle(i), steps, count);
    const double extra = (i == inside.front() ? below : 0) + (i == inside.back() ? above : 0);
    const double p = (static_cast<double>(counts[i]) + extra) / all;
    const double q = mass[step] / filled[step] / seen;
    sum += p * std::log(p / q);
  }
  return sum;
}

}  // namespace

/// S. Migacz, "8-bit Inference with TensorRT", 2017; here with ends that need not be symmetric. As
/// there, a step is no finer than a bin: what rounding costs below could not be seen.
Range entropy_range(const RangeQuestion& question) {
  const Histogram& histogram = question.sketch.histogram;
  const std::vector<int64_t> counts = counts_without_zeros(histogram);
  return least_loss(histogram.range(), [&](const Range& range) {
    const Steps steps = steps_of(range, question);
    const bool whole = range.low == histogram.range().low && range.high == histogram.range().high;
    if (!whole && steps.scale < histogram.width()) return std::numeric_limits<double>::infinity();
    return divergence(histogram, counts, steps, static_cast<size_t>(question.steps));
  });
}

}  // namespace octet
