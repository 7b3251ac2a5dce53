#pragma once

#include "engine/executor.h"

namespace octet {

/// Products in bfloat16, summed in float: what convolutions (but for those in groups, where it does
/// not pay) and matrix products read is rounded to 8 bits of precision, and so is what they make.
/// Everything between them, weights and optimizer stay in float. Around another interpretation.
class HalfProducts final : public Interpretation {
 public:
  /// Throws Code::Usage where the processor has no products of bfloat16.
  explicit HalfProducts(Interpretation& inner);
  at::Tensor constant(ValueId id, const at::Tensor& tensor) override;
  at::Tensor activation(ValueId id, const at::Tensor& tensor) override;
  std::vector<at::Tensor> evaluate(const OpDef& op, const OpCall& call) override;

 private:
  Interpretation& inner_;
};

}  // namespace octet
