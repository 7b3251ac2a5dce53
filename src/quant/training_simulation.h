#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "graph/quant_table.h"
#include "quant/learned_range.h"
#include "quant/look_up.h"
#include "quant/observed_range.h"
#include "quant/oscillations.h"
#include "quant/place.h"
#include "quant/pointwise_region.h"
#include "quant/trained_norms.h"
#include "quant/trained_weights.h"

namespace octet {

/// What moves grids, and which numbers of them.
struct LearnedGrids {
  GridMoves activations =
      GridMoves::Learned;    ///< steps (learned_range.h), ranges (observed_range.h)
  bool zero_points = false;  ///< where steps learn, zero points too, but of absorbed activations
  GridMoves weights = GridMoves::Learned;  ///< scales; `Observed`: they follow the largest weight
  float damping = 0;     ///< of weights that flip between two integers (kernels/learned_grid.h)
  float most_flips = 0;  ///< in a step, above which a weight is held (oscillations.h); 0: any
  bool norms = false;    ///< BatchNormalizations are trained (trained_norms.h)
  /// Groups of activations that stay as they are, and are not rounded.
  std::set<size_t> apart = {};
};

/// The quantized network for training: values are rounded to their grids where they are made,
/// weights anew on every run, and gradients pass through the rounding where nothing is clipped
/// (straight-through estimator; Y. Bengio et al., 2013). Grids that the operators fix and those of
/// a file stay as they are; powers of two do not learn, but may be observed.
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
  /// What runs move: running statistics and observed ranges.
  std::map<std::string, at::Tensor> statistics() const;
  /// What is remembered between steps besides.
  std::map<std::string, at::Tensor> memory() const;
  /// To be called after each step of the optimizer.
  void after_step();
  /// From now on grids stay as they are.
  void freeze();
  /// nullptr where none are trained.
  TrainedNorms* norms() { return norms_ ? &*norms_ : nullptr; }
  /// Folds normalizations into `trained`, the same graph with its present weights, and puts the
  /// present grids into the table, and what follows from them and those weights.
  void write(Graph& trained, QuantTable& table) const;

 private:
  class Inside;
  void find_moving(const LearnedGrids& learned);
  void watch_oscillations(float most);
  void find_saturated();
  void find_regions(const std::set<ValueId>& seen);
  bool overwritable(ValueId id, const std::set<ValueId>& seen) const;
  at::Tensor rounded(ValueId id, const at::Tensor& tensor, Into into);
  at::Tensor looked_up(const PointwiseRegion& region);
  PointwiseTable tabulate(const PointwiseRegion& region, const QuantParams& source);
  std::vector<at::Tensor> weighted(const OpDef& op, const OpCall& call, ValueId weight);
  bool is_apart(ValueId id) const;
  bool keeps(ValueId id, const std::pair<float, float>& bounds) const;
  const LearnedRange* range_of(ValueId id) const;
  void hold_oscillating();
  QuantParams params_of(ValueId id) const;
  QuantParams shifted(size_t group, QuantParams params) const;
  Into into(ValueId id) const { return overwritable_.contains(id) ? Into::Same : Into::New; }

  const Graph& graph_;
  const Placement& placement_;
  QuantTable table_;
  const Executor& executor_;
  std::set<size_t> apart_;
  TrainedWeights weights_;
  std::optional<TrainedNorms> norms_;
  std::optional<Oscillations> oscillations_;
  std::map<size_t, LearnedRange> ranges_;     ///< by group
  std::map<size_t, ObservedRange> observed_;  ///< by group
  std::set<ValueId> saturated_;               ///< made by the saturation of their own grid
  std::set<ValueId> overwritable_;
  std::map<ValueId, float> divisors_;           ///< where there are no regions (quant/divisors.h)
  std::map<ValueId, PointwiseRegion> regions_;  ///< by result
  std::set<ValueId> inside_;                    ///< values within regions
  /// Sources of regions, and the region that rounds them (kAbsent: none).
  std::map<ValueId, ValueId> region_from_;
  std::map<ValueId, ValueId> last_region_;               ///< of a source
  std::map<ValueId, at::Tensor> held_;                   ///< sources of regions in this run
  std::map<ValueId, std::unique_ptr<Executor>> tables_;  ///< what runs a region, by result
};

}  // namespace octet
