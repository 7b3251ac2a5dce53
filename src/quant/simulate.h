#pragma once

#include <map>

#include "engine/executor.h"
#include "graph/quant_table.h"
#include "quant/place.h"

namespace octet {

/// The quantized network in float arithmetic: every value of the table is rounded to its grid
/// where it is made (fake quantization), constants are the ones that the files hold. Give it to
/// `Executor::run`.
class Simulation : public Interpretation {
 public:
  Simulation(const Graph& graph, const Placement& placement, const QuantTable& table);
  at::Tensor constant(ValueId id, const at::Tensor& tensor) override;
  at::Tensor activation(ValueId id, const at::Tensor& tensor) override;

 private:
  const Placement& placement_;
  const QuantTable& table_;
  std::map<ValueId, at::Tensor> constants_;
};

/// The same for training: weights are rounded anew on every run, on the grid that their present
/// values ask for, and gradients pass through the rounding where nothing is clipped
/// (straight-through estimator; Y. Bengio et al., 2013).
class TrainingSimulation : public Interpretation {
 public:
  TrainingSimulation(const Placement& placement, const QuantTable& table, const Executor& executor)
      : placement_(placement), table_(table), executor_(executor) {}
  at::Tensor constant(ValueId id, const at::Tensor& tensor) override;
  at::Tensor activation(ValueId id, const at::Tensor& tensor) override;

 private:
  at::Tensor weight_scale(ValueId id, const WeightGrid& rule) const;
  at::Tensor least_scale(ValueId id, const WeightGrid& rule) const;
  bool full_range() const { return placement_.scheme.weight_range == Scheme::WeightRange::Full; }
  const Placement& placement_;
  const QuantTable& table_;
  const Executor& executor_;
};

}  // namespace octet
