#pragma once

#include <cstdint>
#include <vector>

#include "data/dataset.h"
#include "dialects/dialect.h"
#include "graph/graph.h"
#include "graph/quant_table.h"
#include "octet/progress.h"
#include "quant/place.h"
#include "runtime/look.h"

namespace octet {

/// A value of a network as a file's runtime computed it, against the exact simulation (in steps of
/// its grid) and against the float network.
struct ValueComparison {
  ValueId value = kAbsent;
  int64_t elements = 0;   ///< over all images
  int64_t differing = 0;  ///< from the simulation
  int64_t largest = 0;    ///< steps
  int32_t deployed = 0;   ///< the integers where they differ first, on the network's grid
  int32_t simulated = 0;
  double signal = 0;  ///< sum of squares of the float network's numbers
  double noise = 0;   ///< of their differences from the file's

  double sqnr() const;  ///< dB; infinite where all are equal
};

/// A file and its simulation side by side.
struct SideBySide {
  std::vector<ValueComparison> values;  ///< in order of execution
  int64_t images = 0;
  int64_t same_as_simulated = 0;  ///< images with the same prediction
  int64_t same_as_float = 0;
};

/// What is compared: a quantized network, the arithmetic of the file's runtime, and the images, by
/// their numbers in the data set.
struct Compared {
  const Graph& graph;
  const Placement& placement;
  const QuantTable& table;
  const Dialect& dialect;
  const Dataset& dataset;
  std::vector<int64_t> images;
};

/// Runs the images through the file, the exact simulation and the float network, a few at a time:
/// memory does not grow with their number. Where the file takes a fixed batch, images that do not
/// fill one are left out. Throws Code::Data (images that do not fit, fewer than one batch),
/// Code::Model naming the value whose shape in the file is another one, and what `Look` throws.
SideBySide compare_values(Look& file, const Compared& compared, const ProgressSink& progress);

}  // namespace octet
