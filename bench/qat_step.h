#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>

#include "engine/executor.h"
#include "qat_networks.h"
#include "quant/training_simulation.h"
#include "train/fused_optimizer.h"

namespace octet::bench {

/// A network in training on one batch, as `train_float` and `train_quantized` take it: cross
/// entropy, and SGD with a momentum of 0.9 in ATen's fused kernel; grids learn by Adam.
class Training {
 public:
  enum class Kind : uint8_t { Float, Quantized };
  /// Quantized: lowered for ONNX Runtime and TFLite, and calibrated on the batch.
  Training(const QatNetwork& network, Kind kind, double rate);

  /// Of the present weights.
  double loss();
  /// Of the weights before the step.
  double step();

 private:
  void quantize(const at::Tensor& images);
  at::Tensor forward();

  Graph graph_;
  Placement placement_;
  QuantTable table_;
  at::Tensor images_;
  at::Tensor labels_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Interpretation> interpretation_;
  TrainingSimulation* simulation_ = nullptr;
  std::optional<FusedOptimizer> weights_;
  std::optional<FusedOptimizer> grids_;
  double rate_;
};

}  // namespace octet::bench
