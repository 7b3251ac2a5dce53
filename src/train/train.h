#pragma once

#include <vector>

#include "data/dataset.h"
#include "graph/graph.h"
#include "graph/quant_table.h"
#include "octet/progress.h"
#include "quant/place.h"
#include "train/settings.h"

namespace octet {

/// What training sees: never the test set.
struct TrainingImages {
  const Dataset& dataset;
  std::vector<int64_t> train;       ///< indices to learn from
  std::vector<int64_t> validation;  ///< indices by which the best epoch is chosen
};

struct Epoch {
  int64_t number = 0;     ///< 0: before training
  double loss = 0;        ///< mean over the epoch; 0 for number 0
  double validation = 0;  ///< top-1 on the validation images, percent
};

struct TrainingResult {
  std::vector<Epoch> epochs;
  int64_t best = 0;  ///< number of the epoch whose weights were kept
};

/// Trains the float network and writes the weights of the best epoch into the graph: cross entropy,
/// SGD with momentum or Adam (weight decay decoupled, on weights only: Loshchilov and Hutter,
/// 2019). Deterministic for a seed and number of threads. Throws Code::Numeric naming epoch and
/// step when the loss is not finite, Code::Data when the labels do not fit the network.
TrainingResult train_float(Graph& graph, const TrainingImages& images,
                           const TrainSettings& settings, uint64_t seed,
                           const ProgressSink& progress);

/// The same with every value of the table rounded to its grid (quantization-aware training). The
/// untrained state counts as epoch 0, so the result is never worse on the validation images.
/// Weights and biases get new entries in the table.
TrainingResult train_quantized(Graph& graph, const Placement& placement, QuantTable& table,
                               const TrainingImages& images, const TrainSettings& settings,
                               uint64_t seed, const ProgressSink& progress);

}  // namespace octet
