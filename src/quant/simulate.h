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

}  // namespace octet
