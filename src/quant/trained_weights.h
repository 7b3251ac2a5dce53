#pragma once

#include <map>
#include <vector>

#include "engine/executor.h"
#include "graph/quant_table.h"
#include "quant/fake_quantize_channels.h"
#include "quant/learned_scales.h"
#include "quant/place.h"

namespace octet {

/// Weights and biases in training: rounded anew on every run, on grids that learn, or that the
/// present weights ask for.
class TrainedWeights {
 public:
  /// `table` has the grids to begin with, `executor` the weights. With `learn`, scales move by
  /// gradients, but for those of a file and those that are powers of two. `damping`:
  /// kernels/learned_grid.h.
  TrainedWeights(const Placement& placement, const QuantTable& table, const Executor& executor,
                 bool learn, float damping);

  /// A weight, whose node's input is on a grid of `input_scale`.
  at::Tensor round(ValueId id, const at::Tensor& weight, float input_scale);
  /// A bias; its weight has been rounded in this run.
  at::Tensor round(const BiasGrid& rule, const at::Tensor& bias, float input_scale) const;

  std::map<ValueId, LearnedScales>& learned() { return learned_; }
  const std::map<ValueId, LearnedScales>& learned() const { return learned_; }

 private:
  ChannelGrids grids_of(ValueId id, const WeightGrid& rule, float input_scale) const;

  const Placement& placement_;
  const QuantTable& table_;
  const Executor& executor_;
  float damping_;
  std::map<ValueId, LearnedScales> learned_;
  std::map<ValueId, std::vector<float>> present_;  ///< scales in this run
};

}  // namespace octet
