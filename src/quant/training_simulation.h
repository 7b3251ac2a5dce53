#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "graph/quant_table.h"
#include "quant/learned_range.h"
#include "quant/look_up.h"
#include "quant/place.h"
#include "quant/pointwise_region.h"
#include "quant/trained_weights.h"

namespace octet {

/// Which numbers of the grids gradients move.
struct LearnedGrids {
  bool activations = true;   ///< their steps (quant/learned_range.h)
  bool zero_points = false;  ///< and zero points, where no activation is absorbed
  bool weights = true;       ///< scales of weights; else they follow the largest weight
  float damping = 0;         ///< of weights that flip between two integers (kernels/learned_grid.h)
  /// Groups of activations that stay as they are, and are not rounded.
  std::set<size_t> apart = {};
};

/// The groups of activations that no weighted operator reads or makes a value of.
std::set<size_t> groups_apart_from_weights(const Graph& graph, const Placement& placement);

/// The quantized network for training: values are rounded to their grids where they are made,
/// weights anew on every run, and gradients pass through the rounding where nothing is clipped
/// (straight-through estimator; Y. Bengio et al., 2013). Grids that the operators fix, those of a
/// file, and those on scales that are powers of two stay as they are.
///
/// An activation that the saturation of a grid computes is not computed; a function of one value is
/// looked up (quant/pointwise_region.h). Rounding goes into the memory of what is rounded where
/// nobody else reads that: `seen` are values that the executor puts out beside the graph's outputs.
class TrainingSimulation : public Interpretation {
 public:
  TrainingSimulation(const Graph& graph, const Placement& placement, const QuantTable& table,
                     const Executor& executor, const LearnedGrids& learned = {},
                     const std::set<ValueId>& seen = {});

  at::Tensor constant(ValueId id, const at::Tensor& tensor) override;
  at::Tensor activation(ValueId id, const at::Tensor& tensor) override;
  std::vector<at::Tensor> evaluate(const OpDef& op, const OpCall& call) override;

  /// What gradients move beside the network's weights: tensors that ask for gradients, by the names
  /// of the values whose grids they are.
  std::map<std::string, at::Tensor> variables() const;
  /// To be called after each step of the optimizer.
  void after_step();
  /// From now on grids stay as they are.
  void freeze();
  /// Puts the present grids into the table, and what follows from them and the weights of
  /// `trained`, the same graph with its present weights.
  void write(const Graph& trained, QuantTable& table) const;

 private:
  class Inside;
  void find_learned(const LearnedGrids& learned);
  void find_saturated();
  void find_regions(const std::set<ValueId>& seen);
  bool overwritable(ValueId id, const std::set<ValueId>& seen) const;
  at::Tensor rounded(ValueId id, const at::Tensor& tensor, Into into);
  at::Tensor looked_up(const PointwiseRegion& region);
  PointwiseTable tabulate(const PointwiseRegion& region, const QuantParams& source);
  bool is_apart(ValueId id) const;
  bool keeps(ValueId id, const std::pair<float, float>& bounds) const;
  const LearnedRange* range_of(ValueId id) const;
  QuantParams params_of(ValueId id) const;
  Into into(ValueId id) const { return overwritable_.contains(id) ? Into::Same : Into::New; }

  const Graph& graph_;
  const Placement& placement_;
  QuantTable table_;
  const Executor& executor_;
  std::set<size_t> apart_;
  TrainedWeights weights_;
  std::map<size_t, LearnedRange> ranges_;  ///< by group
  std::set<ValueId> saturated_;            ///< made by the saturation of their own grid
  std::set<ValueId> overwritable_;
  std::map<ValueId, PointwiseRegion> regions_;  ///< by result
  std::set<ValueId> inside_;                    ///< values within regions
  /// Sources of regions, and the region that rounds them (kAbsent: none).
  std::map<ValueId, ValueId> region_from_;
  std::map<ValueId, ValueId> last_region_;               ///< of a source
  std::map<ValueId, at::Tensor> held_;                   ///< sources of regions in this run
  std::map<ValueId, std::unique_ptr<Executor>> tables_;  ///< what runs a region, by result
};

}  // namespace octet
