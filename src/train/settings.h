#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "quant/grid_moves.h"

namespace octet {

enum class Optimizer : uint8_t { Sgd, Adam, AdamW };
enum class Schedule : uint8_t { Constant, Cosine, Step, OneCycle };

/// Their words in a recipe, in order.
inline constexpr std::array<std::string_view, 3> kOptimizerNames{"sgd", "adam", "adamw"};
inline constexpr std::array<std::string_view, 4> kScheduleNames{"constant", "cosine", "step",
                                                                "one-cycle"};

/// What a quantized network learns from its float twin (G. Hinton et al., "Distilling the Knowledge
/// in a Neural Network", 2015); the section 'teacher' of 'qat'.
struct TeacherSettings {
  double weight = 0;       ///< 0: labels alone, to 1: the teacher alone, labels are never read
  double temperature = 2;  ///< of both softmaxes, 0.1 to 100
  double features = 0;     ///< weight of the error of intermediate values, 0 to 1000; 0: none

  bool any() const { return weight > 0 || features > 0; }
};

/// Which values training rounds: all of the table, or those alone that weighted operators (Conv,
/// Gemm, ...) read and make; the rest is then rounded afterwards, on grids for the trained network.
enum class QatScope : uint8_t { All, Weighted };

/// What moves grids beside the weights; the section 'learn' of 'qat'.
struct LearnSettings {
  GridMoves activations = GridMoves::Learned;  ///< scales of activations
  bool zero_points = false;                    ///< where they learn, zero points too
  GridMoves weights = GridMoves::Learned;      ///< scales of weights
  double scale_rate = 1;                       ///< factor on the rate, 0 to 1000
  double freeze_after = 1;  ///< share of the steps after which grids stay, 0 to 1; 1: never
  /// Weight of what pulls weights to the middle of their steps (M. Nagel et al., "Overcoming
  /// Oscillations in Quantization-Aware Training", 2022, section 4.1); 0 to 1000; 0: none.
  double damping = 0;
  /// Share of the steps in which a weight may flip before it is held (section 4.2 there); 0: any.
  double most_flips = 0;
};

/// BatchNormalizations of the float network while the quantized one is trained; the section
/// 'batch_norm' of 'qat'.
struct NormSettings {
  bool train = false;         ///< else they stay folded, as in the files
  double freeze_after = 0.5;  ///< share of the steps after which their statistics stay, 0 to 1
  int64_t estimate = 20;      ///< batches that statistics are taken from, 1 to 65536
};

/// How a network is trained; a recipe's sections 'train' and 'qat' (docs/training.md). The defaults
/// are those of 'train'; `qat_defaults` has the others.
struct TrainSettings {
  int64_t epochs = 10;                    ///< 0 to 10000; 0: no training
  int64_t batch = 128;                    ///< images that are read at a time, 1 to 65536
  int64_t accumulate = 1;                 ///< batches in a step of the optimizer, 1 to 65536
  Optimizer optimizer = Optimizer::Adam;  ///< sgd, adam (L2), adamw (decay decoupled)
  double rate = 0.003;                    ///< highest learning rate, above 0, at most 100
  double momentum = 0.9;                  ///< of sgd, and adam's first beta; 0 to 0.9999
  double weight_decay = 0;                ///< of weights, not of biases and grids; 0 to 1
  Schedule schedule = Schedule::Cosine;   ///< of the rate, after the warm-up
  double warmup = 0.05;                   ///< share of the steps in which the rate rises, 0 to 1
  int64_t decay_every = 10;               ///< epochs, of the schedule 'step'; 1 to 10000
  double decay = 0.1;                     ///< of the schedule 'step': factor on the rate; 0 to 1
  double clip_gradient = 0;               ///< largest norm of all gradients, 0 to 1e6; 0: any
  double label_smoothing = 0;             ///< 0 to 0.9
  double mixup = 0;                       ///< alpha of mixup, 0 to 1; 0: none
  bool flip = false;                      ///< images mirrored, every other time
  int64_t crop = 0;                       ///< images shifted by up to so many pixels, 0 to 1024
  double average = 0;    ///< decay of an average of the weights, 0 to 0.999999; 0: none
  int64_t patience = 0;  ///< epochs without a better one before it ends, 0 to 10000; 0: any
  double checkpoint_minutes = 5;  ///< between checkpoints in an epoch, 0 (every step) to 1440
  TeacherSettings teacher;
  LearnSettings learn;
  NormSettings batch_norm;
  QatScope scope = QatScope::All;
  bool bfloat16 = false;  ///< products of weights in bfloat16 (train/half_products.h)
  /// Also the float network is trained, in the same way: what training alone is worth.
  bool control = false;
};

/// Training with quantizers starts from a trained network: short and gentle.
inline TrainSettings qat_defaults() {
  TrainSettings settings;
  settings.epochs = 3;
  settings.rate = 0.0002;
  return settings;
}

}  // namespace octet
