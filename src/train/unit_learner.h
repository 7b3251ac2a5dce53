#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <vector>

#include "quant/learned_range.h"
#include "quant/learned_rounding.h"
#include "quant/simulate.h"
#include "quant/stretches.h"

namespace octet {

/// How parts of a network learn to give what they gave in float.
struct UnitSettings {
  bool rounding = true;      ///< weights learn whether they are rounded down or up
  bool ranges = false;       ///< activations learn the steps of their grids
  double drop = 0;           ///< share of the activations that are left as they are, at random
  int64_t iterations = 500;  ///< steps of Adam, 1 or more
  int64_t batch = 32;        ///< images in a step, 1 or more
  double rate = 0.01;        ///< of the rounding
  double range_rate = 0.001;
  double decision = 1;  ///< weight of what is undecided beside the error
  uint64_t seed = 1;
};

/// What a unit was seen to take in and put out, along the first dimension.
struct UnitData {
  at::Tensor rounded;  ///< its input in the rounded network
  at::Tensor real;     ///< its input in the float network; undefined where nothing is dropped
  at::Tensor wanted;   ///< its output in the float network
  int64_t images = 0;
};

/// One unit: some nodes from one value to another. `reference` is the float network, of the same
/// nodes and values.
class UnitLearner {
 public:
  UnitLearner(const Graph& reference, Graph& graph, const Placement& placement, QuantTable& table,
              const Stretch& unit, const UnitSettings& settings);

  /// There is something to learn.
  bool learns() const { return !roundings_.empty() || !ranges_.empty(); }
  /// Mean square of the difference to what is wanted, as the graph and the table are now; the
  /// unit's output is rounded where ranges are learnt.
  double error(const UnitData& data) const;
  /// Learns, and writes weights and steps into graph and table.
  void learn(const UnitData& data, double error);
  /// Takes back what `learn` wrote.
  void undo();

 private:
  class Rounded;
  class Learning;
  void find_ranges();
  at::Tensor step_loss(Executor& executor, Learning& learning, const UnitData& data,
                       const at::Tensor& chosen, double error) const;
  void write();

  Graph& graph_;
  const Placement& placement_;
  QuantTable& table_;
  const Stretch& unit_;
  const UnitSettings& settings_;
  std::map<ValueId, LearnedRounding> roundings_;
  std::map<size_t, LearnedRange> ranges_;  ///< by group
  std::map<ValueId, Tensor> old_weights_;
  std::map<ValueId, QuantParams> old_entries_;
};

}  // namespace octet
