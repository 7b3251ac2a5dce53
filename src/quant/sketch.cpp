#include "quant/sketch.h"

#include "quant/observer.h"

namespace octet {
namespace {

constexpr float kStep = 0.1F;

Range between(const Range& from, const Range& to, float share) {
  if (from.empty) return to;
  if (to.empty) return from;
  return {from.low + (to.low - from.low) * share, from.high + (to.high - from.high) * share, false};
}

}  // namespace

void Sketch::add(const Histogram& batch) {
  moving = between(moving, batch.range(), kStep);
  histogram.merge(batch);
}

void Sketch::mark(int64_t images) {
  if (histogram.count() == 0) return;
  if (!course.empty() && images < 2 * course.back().images) return;
  course.push_back({images, histogram.range(), kept_range(histogram, kMilestoneKept)});
}

void Sketch::merge(const Sketch& other) {
  if (histogram.count() == 0) course = other.course;
  const auto theirs = static_cast<double>(other.histogram.count());
  const double all = theirs + static_cast<double>(histogram.count());
  if (all > 0) moving = between(moving, other.moving, static_cast<float>(theirs / all));
  histogram.merge(other.histogram);
  constants.include(other.constants);
}

}  // namespace octet
