#include "api/calibration_report.h"

#include <algorithm>
#include <cmath>

#include "api/bad_images.h"
#include "api/calibration_file.h"
#include "base/fail.h"
#include "quant/batch_effect.h"
#include "quant/clipped_share.h"
#include "quant/observer.h"
#include "quant/settling.h"

namespace octet {
namespace {

CalibratedValue row_of(std::string name, const Sketch& sketch, int64_t images, bool whole) {
  const Histogram& histogram = sketch.histogram;
  const Range most = kept_range(histogram, kMilestoneKept);
  const Settling settling = settling_of(sketch, images, whole);
  return {.name = std::move(name),
          .numbers = histogram.count(),
          .low = histogram.range().low,
          .high = histogram.range().high,
          .most_low = most.low,
          .most_high = most.high,
          .settled = settling.known ? settling.images : 0,
          .moved = 100 * settling.moved,
          .grid_low = {},
          .grid_high = {},
          .vanishes = false,
          .clipped = {}};
}

}  // namespace

double effect_of_batch(const Graph& graph, const CalibrationImages& images) {
  if (images.split.train.size() < 2) return 0;
  const auto length = static_cast<size_t>(element_count(images.dataset.shape()));
  std::vector<float> two(2 * length);
  for (size_t i = 0; i < 2; ++i) {
    images.dataset.image(images.split.train[i], std::span(two).subspan(i * length, length));
  }
  return batch_effect(graph, two);
}

CalibrationReport report_on(const QuantizedNetwork& network, const ObservedNetwork& observed,
                            const CalibrationSettings& settings) {
  const Calibration& seen = observed.seen;
  const Calibration& held = observed.held;
  CalibrationReport report{.images = seen.images,
                           .left_out = notes_on_skipped(seen),
                           .batch = seen.batch,
                           .batch_effect = 100 * observed.batch_effect,
                           .whole = settings.observer == "minmax",
                           .held_back = held.images,
                           .values = {}};
  for (const auto& [index, sketch] : seen.sketches) {
    const ValueId id = network.placement.groups.at(index).members.at(0);
    CalibratedValue row = row_of(network.graph.value(id).name, sketch, seen.images, report.whole);
    const QuantParams& grid = network.table.at(id, network.graph);
    const double scale = grid.scale[0];
    row.grid_low = scale * (grid.low - grid.zero_point[0]);
    row.grid_high = scale * (grid.high - grid.zero_point[0]);
    const double largest = std::max(std::abs(row.low), std::abs(row.high));
    row.vanishes = largest > 0 && largest < scale / 2;
    const auto same = held.sketches.find(index);
    if (same != held.sketches.end()) {
      row.clipped = 100 * clipped_share(same->second.histogram, grid);
    }
    report.values.push_back(std::move(row));
  }
  return report;
}

CalibrationReport inspect_calibration(const std::filesystem::path& path) {
  const KeptCalibration kept = read_kept(path);
  CalibrationReport report{
      .images = kept.images, .left_out = {}, .whole = false, .held_back = 0, .values = {}};
  for (const KeptSketch& group : kept.groups) {
    if (group.values.empty()) {
      fail(Code::Data, "{} is a damaged calibration: a group has no values", path.string());
    }
    report.values.push_back(row_of(group.values[0], group.sketch, kept.images, false));
  }
  return report;
}

}  // namespace octet
