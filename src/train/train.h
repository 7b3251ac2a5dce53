#pragma once

#include <functional>
#include <vector>

#include "data/dataset.h"
#include "graph/graph.h"
#include "graph/quant_table.h"
#include "octet/progress.h"
#include "quant/place.h"
#include "train/checkpoint.h"
#include "train/settings.h"

namespace octet {

/// What training sees: never the test set.
struct TrainingImages {
  const Dataset& dataset;
  std::vector<int64_t> train;       ///< indices to learn from
  std::vector<int64_t> validation;  ///< indices by which the best epoch is chosen
};

struct TrainingResult {
  std::vector<Epoch> epochs;
  int64_t best = 0;  ///< number of the epoch whose weights were kept
};

/// Trains the float network and writes the weights of the best epoch into the graph: the one with
/// the best top-1 on the validation images, of the averaged weights where there is an average;
/// without validation images the last one. Deterministic for a seed and a number of threads, also
/// when it goes on from a checkpoint (docs/training.md).
///
/// Throws Code::Recipe where nothing is there to be trained, Code::Data
/// when the labels do not fit the network, Code::Numeric naming epoch and step when the loss or its
/// gradient is not finite (a checkpoint with the best epoch is kept before), Code::Runtime when
/// memory is used up.
TrainingResult train_float(Graph& graph, const TrainingImages& images,
                           const TrainSettings& settings, uint64_t seed,
                           const ProgressSink& progress, const Checkpoints& checkpoints = {});

/// Throws Code::Recipe where the settings ask to train BatchNormalizations, and none was folded in
/// the quantized network. `train_quantized` asks too; a workflow asks before it begins.
void require_folded_norms(const Graph& graph, const TrainSettings& settings);

/// What training with quantizers may be given.
struct QuantizedTraining {
  /// The float network to learn from; nullptr: the graph as it is before it is trained.
  const Graph* teacher = nullptr;
  /// Per cent of the validation images that a candidate's deployed file gets right; empty: those
  /// that the simulation does.
  std::function<double(const Graph&, const QuantTable&)> validate = {};
  Checkpoints checkpoints = {};
};

/// The same with every value of the table rounded to its grid (quantization-aware training). The
/// untrained state counts as epoch 0, so the result is never worse on the validation images. Right
/// is the label, or, where the teacher's weight is 1, the class that the teacher says: then no
/// label is read. What learns gets new entries in the table.
TrainingResult train_quantized(Graph& graph, const Placement& placement, QuantTable& table,
                               const TrainingImages& images, const TrainSettings& settings,
                               uint64_t seed, const ProgressSink& progress,
                               const QuantizedTraining& with = {});

}  // namespace octet
