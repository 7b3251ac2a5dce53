#pragma once

#include <functional>
#include <map>
#include <string>

#include "train/teacher.h"
#include "train/train.h"
#include "train/trained_grids.h"

namespace octet {

/// A network that is trained, and how.
struct Trainee {
  std::string name;  ///< "train" or "qat": of progress and messages
  const Graph& graph;
  Executor& executor;  ///< puts out the logits, then the teacher's features
  Interpretation& interpretation;
  TrainedGrids& grids;
  Teacher* teacher = nullptr;             ///< nullptr: labels alone
  std::function<void()> settle = {};      ///< before a state may be kept; it may move statistics
  std::function<double()> validate = {};  ///< per cent right, as it is now; empty: later is better
  bool keep_start = false;                ///< the untrained state is a candidate too
  std::map<std::string, Tensor> kept = {};  ///< what checkpoints hold besides
};

/// Trains: `train_float` and `train_quantized` say how. The executor and the grids then hold the
/// best epoch.
TrainingResult run_training(const Trainee& trainee, const TrainingImages& images,
                            const TrainSettings& settings, uint64_t seed,
                            const Checkpoints& checkpoints, const ProgressSink& progress);

}  // namespace octet
