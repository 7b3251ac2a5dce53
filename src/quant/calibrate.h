#pragma once

#include <functional>
#include <map>
#include <vector>

#include "graph/graph.h"
#include "kernels/range.h"
#include "quant/place.h"
#include "quant/settings.h"
#include "quant/sketch.h"

namespace octet {

/// The range of every group whose rule is `FromData`, by group index.
using Ranges = std::map<size_t, Range>;

/// Fills `images` with the next calibration images (NCHW) and returns how many there are; 0 at the
/// end.
using NextImages = std::function<int64_t(std::vector<float>& images)>;

/// What one look at the calibration images leaves; its size does not depend on their number.
struct Calibration {
  std::map<size_t, Sketch> sketches;  ///< of every group whose rule is `FromData`, by group index
  int64_t images = 0;

  /// Of the same network and placement: as if one look had seen both sets of images.
  void merge(const Calibration& other);
};

/// Runs the float network over the images, one batch at a time, and makes a sketch of each group.
/// Throws Code::Numeric naming the value and node where NaN or infinity first appears, Code::Data
/// when there are no images.
Calibration observe(const Graph& graph, const Placement& placement, const NextImages& next);

/// The range of the constants of a group: empty where it has none.
Range constants_of(const Group& group, const Graph& graph);

/// The ranges that the settings' observer chooses from the sketches, cut to the bounds of the
/// groups' activations. Constants of a group count with their exact range. Throws as
/// `observer_named`.
Ranges choose_ranges(const Placement& placement, const Calibration& calibration,
                     const CalibrationSettings& settings);

/// Both in one.
Ranges calibrate(const Graph& graph, const Placement& placement, const NextImages& next,
                 const CalibrationSettings& settings);

}  // namespace octet
