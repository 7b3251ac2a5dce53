#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/executor.h"

namespace octet {

/// Scales of a weight: one for all, or one for each slice along `axis`.
struct ChannelScales {
  std::vector<float> scales;
  int axis;  ///< -1: one for all
};

/// Where a BatchNormalization was folded into a weighted operator.
struct FoldedNorm {
  ValueId weight;
  ValueId bias;
  int axis;  ///< of the weight, its output channels
  int64_t channels;
};

/// Of nodes whose bias says that it `normalizes`.
std::vector<FoldedNorm> folded_norms(const Graph& graph);

/// BatchNormalizations that were folded into the operators before them, as training has them again
/// (B. Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic
/// -Only Inference", 2018, section 3.2). Weights are rounded as the deployed network has them,
/// folded by the running statistics; what they make is then normalized by the statistics of the
/// batch. Once frozen, and without gradients, the folded network is all there is.
///
/// While this lives the executor holds unfolded weights, and as biases what the normalizations add.
class TrainedNorms {
 public:
  /// Of all `folded_norms`.
  TrainedNorms(const Graph& graph, const Executor& executor);

  /// The first look, at the network as it is: `run` runs it on batches, without gradients. What
  /// the operators make is what the normalizations will expect, so nothing changes by itself.
  /// Before it there are none; after an empty one they wait for `variables` and `statistics` to be
  /// filled.
  void begin(const std::function<void()>& run);
  /// Takes the running statistics anew, as the mean over what `run` runs; nothing once frozen.
  void estimate(const std::function<void()>& run);
  /// From now on running statistics stay, and are what normalizes.
  void freeze() { frozen_ = true; }
  /// After each step of the optimizer.
  void keep_inside();

  /// A weight or bias as deployed, and any other constant as it is; a bias is undefined where the
  /// batch normalizes.
  at::Tensor folded(ValueId id, const at::Tensor& tensor) const;
  /// The bias as deployed, wherever the normalization is.
  at::Tensor deployed(ValueId bias) const;
  /// Scales of a weight as deployed become those of the weight that the executor holds.
  void unfold(ValueId weight, ChannelScales& steps) const;
  /// What a node with this weight made.
  at::Tensor normalize(ValueId weight, const at::Tensor& made);

  /// What gradients move, by the names of weights: the factors of the normalizations.
  std::map<std::string, at::Tensor> variables() const;
  /// The running statistics, which runs move.
  std::map<std::string, at::Tensor> statistics() const;
  /// Folds them into the weights and biases of a graph of the same structure.
  void fold(Graph& graph) const;

 private:
  enum class Look : uint8_t { None, First, Again };
  struct Norm {
    ValueId weight;
    ValueId bias;
    int axis;           ///< of the weight: output channels
    at::Tensor factor;  ///< above 0
    at::Tensor mean;    ///< of what the unfolded weight makes
    at::Tensor variance;
    at::Tensor mean_sum = {};
    at::Tensor variance_sum = {};
    int64_t looks = 0;
  };
  void look(Look kind, const std::function<void()>& run);
  void note(Norm& norm, const at::Tensor& mean, const at::Tensor& variance);
  bool by_batch() const;
  bool folds() const { return begun_ && look_ != Look::First; }
  at::Tensor folding(const Norm& norm) const;  ///< deployed weight / unfolded weight, by channel
  at::Tensor folded_weight(const Norm& norm) const;
  at::Tensor folded_bias(const Norm& norm) const;

  const Graph& graph_;
  const Executor& executor_;
  std::map<ValueId, Norm> norms_;       ///< by weight
  std::map<ValueId, ValueId> weights_;  ///< by bias
  Look look_ = Look::None;
  bool begun_ = false;
  bool frozen_ = false;
};

}  // namespace octet
