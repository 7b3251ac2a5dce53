#pragma once

#include <string>
#include <vector>

#include "octet/progress.h"
#include "quant/calibrate.h"
#include "train/unit_learner.h"

namespace octet {

/// How a network is walked through, unit after unit.
struct WalkSettings {
  std::string name;       ///< of the step, for progress and messages
  bool by_layer = false;  ///< units are layers with what their rounding absorbs, not blocks
  int64_t images = 256;   ///< to learn from, at most; 1 or more
  int64_t cache = 256;    ///< MB (2^20 bytes) that inputs and outputs of units may take, 1 or more
  UnitSettings unit;
};

/// What became of a unit.
struct LearnedUnit {
  std::string name;   ///< of the value that it makes
  double before = 0;  ///< mean square of its error, as a share of the mean square of its output
  double after = 0;   ///< the same as before where nothing better was learnt
};

/// Lets every unit of the network learn to give what it gives in float (`reference`: the float
/// network, of the same nodes and values), from what the rounded units before it give. A unit that
/// is not better afterwards on the images that it has learnt from stays as it was. Weights change
/// their integers by at most 1 from the nearest ones of `reference`, and keep their entries of the
/// table; activations that learn get new ones, and what follows from them.
///
/// Inputs and outputs of one unit at a time are held, of as many of the images as fit into the
/// cache; those of blocks (quant/stretches.h) are computed from the blocks before them.
/// Deterministic for a seed and number of threads. Throws Code::Data when there are no images.
std::vector<LearnedUnit> learn_units(const Graph& reference, Graph& graph,
                                     const Placement& placement, QuantTable& table,
                                     const NextImages& next, const WalkSettings& settings,
                                     const ProgressSink& progress);

}  // namespace octet
