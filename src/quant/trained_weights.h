#pragma once

#include <map>
#include <vector>

#include "graph/quant_table.h"
#include "quant/fake_quantize_channels.h"
#include "quant/grid_moves.h"
#include "quant/learned_scales.h"
#include "quant/place.h"

namespace octet {

/// Weights and biases in training: rounded anew on every run, on grids that learn, or that the
/// present weights ask for.
class TrainedWeights {
 public:
  /// `table` has the grids to begin with. What is said of scales is not so of those of a file,
  /// which stay, and of powers of two, which follow the weight. `damping`: kernels/learned_grid.h.
  TrainedWeights(const Placement& placement, const QuantTable& table, GridMoves scales,
                 float damping);

  /// A weight. Only with a bias its scales depend on those of the node's input.
  at::Tensor round(ValueId id, const at::Tensor& weight, const at::Tensor& bias, float input_scale);
  /// A bias; its weight has been rounded in this run.
  at::Tensor round(const BiasGrid& rule, const at::Tensor& bias, float input_scale) const;

  /// The scales of a weight in the last run, one or one for each channel.
  const std::vector<float>& present(ValueId id) const { return present_.at(id); }

  std::map<ValueId, LearnedScales>& learned() { return learned_; }
  const std::map<ValueId, LearnedScales>& learned() const { return learned_; }

 private:
  ChannelGrids grids_of(ValueId id, const at::Tensor& weight, const at::Tensor& bias,
                        float input_scale) const;

  const Placement& placement_;
  const QuantTable& table_;
  float damping_;
  std::map<ValueId, LearnedScales> learned_;
  std::map<ValueId, std::vector<float>> present_;  ///< scales in this run
};

}  // namespace octet
