#pragma once

#include <functional>
#include <map>
#include <span>

#include "graph/graph.h"
#include "kernels/range.h"
#include "quant/place.h"
#include "quant/settings.h"

namespace octet {

/// The range of every group whose rule is `FromData`, by group index.
using Ranges = std::map<size_t, Range>;

/// Fills `images` with the next calibration images (NCHW) and returns how many there are; 0 at the
/// end.
using NextImages = std::function<int64_t(std::vector<float>& images)>;

/// Runs the float network over the images, one batch at a time, and observes each group. Constants
/// of a group count with their exact range. Throws Code::Numeric naming the value and node where
/// NaN or infinity first appears, Code::Data when there are no images.
Ranges calibrate(const Graph& graph, const Placement& placement, const NextImages& next,
                 const CalibrationSettings& settings);

}  // namespace octet
