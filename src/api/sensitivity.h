#pragma once

#include <string>
#include <vector>

#include "api/assigned_networks.h"
#include "octet/octet.h"

namespace octet {

/// Images to measure sensitivity on: the first `count` that are held back, or of all where none
/// are.
struct NoiseImages {
  const Dataset& dataset;
  const Split& parts;
  int64_t count;
};

/// The layers as an assignment (all of it in integers) quantizes them.
struct MeasuredLayers {
  std::vector<LayerSensitivity> worst_first;
  std::vector<RankedLayer> in_order;  ///< without the input, whose noise counts for its readers
  int64_t images = 0;
};
MeasuredLayers measure_layers(AssignedNetworks& networks, const Assignment& assignment,
                              const NoiseImages& images, const ProgressSink& progress);

}  // namespace octet
