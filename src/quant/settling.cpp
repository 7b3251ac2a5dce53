#include "quant/settling.h"

#include <algorithm>
#include <cmath>
#include <ranges>

#include "quant/observer.h"

namespace octet {
namespace {

Range with_zero(Range range) {
  range.include(0.0F);
  return range;
}

/// By what share of the last one's width an end of the range had yet to move.
double distance(const Range& from, const Range& last) {
  const double width = static_cast<double>(last.high) - last.low;
  const double low = std::abs(static_cast<double>(from.low) - last.low);
  const double high = std::abs(static_cast<double>(from.high) - last.high);
  const double most = std::max(low, high);
  return most == 0 ? 0 : width == 0 ? 1 : most / width;
}

}  // namespace

Settling settling_of(const Sketch& sketch, int64_t images, bool whole) {
  Settling found{.images = images};
  if (sketch.histogram.count() == 0) return found;
  const Range last =
      with_zero(whole ? sketch.histogram.range() : kept_range(sketch.histogram, kMilestoneKept));
  bool settled = true;
  for (const Milestone& mark : std::views::reverse(sketch.course)) {
    if (mark.images >= images) continue;
    const double moved = distance(with_zero(whole ? mark.all : mark.most), last);
    if (!found.known) found.moved = moved;
    found.known = true;
    settled = settled && moved <= kSettled;
    if (settled) found.images = mark.images;
  }
  return found;
}

}  // namespace octet
