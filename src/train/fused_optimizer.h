#pragma once

#include <string>
#include <vector>

#include "train/schedule.h"
#include "train/trained_grids.h"

namespace octet {

/// Leaf tensors that are moved alike.
struct ParameterGroup {
  NamedTensors parameters = {};
  double decay = 0;   ///< weight decay
  double factor = 1;  ///< on the rate
};

/// SGD with momentum, Adam with L2 (D. P. Kingma and J. Ba, 2015) or AdamW with decoupled decay (I.
/// Loshchilov and F. Hutter, 2019; the decay is multiplied by the rate), by LibTorch's fused
/// kernels: one pass over the memory of each parameter. Parameters without a gradient stay.
class FusedOptimizer {
 public:
  FusedOptimizer(Optimizer kind, std::vector<ParameterGroup> groups);

  /// Takes all gradients away.
  void zero_grad();
  /// Euclidean norm of all gradients together.
  double gradient_norm() const;
  /// Multiplies all gradients.
  void scale_gradients(double factor);
  void step(const Pace& pace);

  /// All that it remembers, by name ("NAME/first", "NAME/second", "NAME/momentum", "steps"); shares
  /// memory with it.
  const NamedTensors& state() const { return state_; }

 private:
  template <class Visit>
  void each_gradient(Visit visit) const;
  void step_group(const ParameterGroup& group, const Pace& pace);

  Optimizer kind_;
  std::vector<ParameterGroup> groups_;
  NamedTensors state_;
};

}  // namespace octet
