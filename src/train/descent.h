#pragma once

#include <expected>
#include <optional>
#include <string>

#include "data/batch.h"
#include "train/average.h"
#include "train/fused_optimizer.h"
#include "train/trainer.h"

namespace octet {

/// Takes a network down its loss, batch after batch: gradients, steps of the optimizer, and the
/// average of the weights. Batches are numbered through the whole training, from 0.
class Descent {
 public:
  /// Throws Code::Recipe where nothing can be learnt: a rate of 0, nothing trainable.
  Descent(const Trainee& trainee, const TrainSettings& settings, uint64_t seed,
          int64_t batches_in_epoch);

  /// Adds the gradient of a batch, and steps where it is the last of those that are accumulated.
  /// The loss, or what is not finite: "the loss is nan".
  std::expected<double, std::string> learn_from(Batch& batch, int64_t number);
  /// There is a step behind this batch.
  bool steps_after(int64_t number) const;

  /// All that moves.
  const NamedTensors& tensors() const { return tensors_; }
  /// What a candidate is: the average, where there is one.
  const NamedTensors& candidate() const { return average_ ? average_->tensors() : tensors_; }

  void keep(Checkpoint& checkpoint) const;
  /// Throws Code::Data as `restore_tensors`.
  void restore(const Checkpoint& checkpoint, const std::string& place);

 private:
  int64_t in_epoch(int64_t number) const { return number % batches_; }
  int64_t step_of(int64_t number) const;
  bool is_past(double share, int64_t step) const;
  void begin_step(int64_t step);

  const Trainee& trainee_;
  const TrainSettings& settings_;
  uint64_t seed_;
  int64_t batches_;  ///< in an epoch
  int64_t steps_in_epoch_;
  NamedTensors tensors_;
  FusedOptimizer optimizer_;
  std::optional<WeightAverage> average_;
  bool grids_frozen_ = false;
  bool norms_frozen_ = false;
};

}  // namespace octet
