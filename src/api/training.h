#pragma once

#include <filesystem>
#include <string>

#include "api/recipe.h"
#include "api/stages.h"
#include "train/train.h"

namespace octet {

/// What the trainings of a recipe have in common.
struct TrainingPlace {
  const Recipe& recipe;
  const Dataset& dataset;
  const Split& parts;
  std::filesystem::path out;  ///< the folder of checkpoints
  bool resume = false;        ///< go on from them
  const ProgressSink& progress;

  std::filesystem::path train_checkpoint() const { return out / "train.checkpoint"; }
  std::filesystem::path qat_checkpoint() const { return out / "qat.checkpoint"; }
  std::filesystem::path control_checkpoint() const { return out / "control.checkpoint"; }
};

/// Trains the float network, which keeps train.checkpoint, also when it is done: so a run goes on
/// from the same weights. Throws as `train_float` and `read_checkpoint` do.
TrainingResult train_in(const TrainingPlace& place, Graph& graph);

/// Trains the float network as 'qat' trains the quantized one, which keeps control.checkpoint.
TrainingResult train_control(const TrainingPlace& place, Graph& graph);

/// Trains the quantized network, which keeps qat.checkpoint. `observed`: the network as it was
/// observed, for the teacher; `source`: the fingerprint of the float network that it was made of.
/// Candidates are measured as they are deployed: the ONNX file where a target has one, else the
/// first target's file, in its runtime.
TrainingResult train_in(const TrainingPlace& place, QuantizedNetwork& network,
                        const Graph& observed, const std::string& source);

/// Removes what trainings leave in the folder, whole or half-written.
void remove_checkpoints(const TrainingPlace& place);

}  // namespace octet
