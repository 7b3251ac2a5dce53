#pragma once

#include <cstdint>

namespace octet {

enum class Optimizer { Sgd, Adam };

/// How a network is trained; a recipe's sections 'train' and 'qat'. The defaults are those of
/// 'train'; `qat_defaults` has the others.
struct TrainSettings {
  int64_t epochs = 10;                    ///< 0 to 10000; 0: no training
  int64_t batch = 128;                    ///< images in a step, 1 to 65536
  Optimizer optimizer = Optimizer::Adam;  ///< sgd or adam
  double rate = 0.003;                    ///< highest learning rate, 0 to 100
  double momentum = 0.9;                  ///< of sgd, and adam's first beta; 0 to 0.9999
  double weight_decay = 0;                ///< 0 to 1
  bool cosine = true;                     ///< down to 0 by a cosine; else constant
  double warmup = 0.05;                   ///< share of the steps in which the rate rises, 0 to 1
  double label_smoothing = 0;             ///< 0 to 0.9
  bool flip = false;                      ///< images mirrored, every other time
  int64_t crop = 0;                       ///< images shifted by up to so many pixels, 0 to 1024
};

/// Training with quantizers starts from a trained network: short and gentle.
inline TrainSettings qat_defaults() {
  TrainSettings settings;
  settings.epochs = 3;
  settings.rate = 0.0002;
  return settings;
}

}  // namespace octet
