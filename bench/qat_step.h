#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "engine/executor.h"
#include "qat_networks.h"
#include "quant/training_simulation.h"

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
  void move_grids();
  at::Tensor forward();

  Graph graph_;
  Placement placement_;
  QuantTable table_;
  at::Tensor images_;
  at::Tensor labels_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Interpretation> interpretation_;
  std::vector<at::Tensor> variables_;
  std::vector<at::Tensor> momenta_;
  TrainingSimulation* simulation_ = nullptr;
  std::vector<at::Tensor> grids_;
  std::vector<at::Tensor> first_moments_;
  std::vector<at::Tensor> second_moments_;
  std::vector<at::Tensor> steps_;
  double rate_;
  bool first_ = true;
};

}  // namespace octet::bench
