#pragma once

#include <map>
#include <set>

#include "dialects/dialect.h"
#include "engine/executor.h"
#include "graph/quant_table.h"
#include "quant/place.h"

namespace octet {

/// The quantized network in the integers of a runtime: what `Simulation` computes in float and
/// rounds, this computes as the runtime's kernels do. Tensors on their way stay real numbers, each
/// exactly on its grid. Give it to `Executor::run`.
class ExactSimulation : public Interpretation {
 public:
  ExactSimulation(const Graph& graph, const Placement& placement, const QuantTable& table,
                  const Dialect& dialect);
  at::Tensor constant(ValueId id, const at::Tensor& tensor) override;
  at::Tensor activation(ValueId id, const at::Tensor& tensor) override;
  std::vector<at::Tensor> evaluate(const OpDef& op, const OpCall& call) override;

 private:
  struct Plan {
    enum class Kind : uint8_t {
      Run,      ///< moves integers, or computes in float
      Pass,     ///< the node before it has done its work
      LookUp,   ///< the last node of a chain
      Compute,  ///< an integer kernel
    };
    Kind kind = Kind::Run;
    ValueId result = kAbsent;  ///< output of the node, or of the activation that it takes in
    std::pair<float, float> bounds;
    IntegerFn compute = nullptr;
  };

  Plan plan_for(NodeId id, const Placement& placement) const;
  /// Of the node's integers, or of those of the activation that it takes in.
  DType result_type(const Node& node) const;
  Plan compute_plan(const Node& node, IntegerFn kernel) const;
  at::Tensor compute(const Plan& plan, const OpCall& call) const;
  at::Tensor integers(ValueId id, const at::Tensor& real) const;

  const Graph& graph_;
  const QuantTable& table_;
  const Dialect& dialect_;
  std::map<const Node*, Plan> plans_;
  std::set<ValueId> on_grid_;  ///< computed values that need no rounding of their own
  std::map<ValueId, at::Tensor> constants_;
  std::map<ValueId, at::Tensor> tables_;
};

/// int32 integers of real numbers that lie on the grid.
at::Tensor to_integers(const at::Tensor& real, const QuantParams& grid);
/// The real numbers of int32 integers.
at::Tensor to_reals(const at::Tensor& integers, const QuantParams& grid);

}  // namespace octet
