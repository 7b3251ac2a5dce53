#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <span>
#include <string>

namespace octet {

/// Weights that flip between two integers until training ends are held on the one that they are
/// nearer to, once they do it too often (M. Nagel et al., "Overcoming Oscillations in
/// Quantization-Aware Training", 2022, section 4.2). A flip is a change of the integer against the
/// direction of the last one; how often is a moving average over steps.
class Oscillations {
 public:
  /// A weight is held above `most` flips in a step, 0 to 1.
  explicit Oscillations(float most) : most_(most) {}

  /// The grid of a weight at present.
  struct WeightSteps {
    std::span<const float> scales;  ///< one for all, or one for each slice along `axis`
    int axis;                       ///< -1: one for all
    int32_t low;
    int32_t high;
  };
  /// Begins with a weight as it is.
  void watch(const std::string& name, const at::Tensor& weight);
  /// After a step: looks at the weight's integers, and puts back those that are held.
  void follow(const std::string& name, const at::Tensor& weight, const WeightSteps& steps);

  /// What it remembers, by name.
  std::map<std::string, at::Tensor> state() const;

 private:
  struct Watched {
    at::Tensor integers;   ///< as they were, or are held
    at::Tensor direction;  ///< of the last change
    at::Tensor frequency;  ///< of flips
    at::Tensor center;     ///< moving average of integers
  };
  float most_;
  std::map<std::string, Watched> watched_;
};

}  // namespace octet
