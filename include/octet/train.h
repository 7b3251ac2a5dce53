#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "octet/progress.h"

namespace octet {

struct NewOptions {
  std::string architecture;         ///< a name of `architectures()`
  std::string input = "3x224x224";  ///< channels x height x width
  int64_t classes = 1000;
  double width = 1.0;  ///< factor on the numbers of channels, which stay multiples of 8
  uint64_t seed = 1;   ///< of the weights
};

/// Names and one-line summaries of the networks that `make_network` knows.
std::vector<std::pair<std::string, std::string>> architectures();

/// Writes an untrained float network to `out` (ONNX).
void make_network(const NewOptions& options, const std::filesystem::path& out);

struct EpochResult {
  int64_t number = 0;  ///< 0: before training
  double loss = 0;     ///< mean over the epoch
  /// Per cent of the validation images; in QAT of the integer file, in its runtime. Without labels
  /// (a teacher of weight 1): those that get the float network's class.
  double validation_top1 = 0;
};
struct TrainResult {
  std::vector<EpochResult> epochs;
  int64_t best = 0;  ///< the epoch whose weights were kept
};

struct TrainOptions {
  /// Go on from the checkpoints in the folder, as if it had not been interrupted; without any, from
  /// the beginning.
  bool resume = false;
};

/// Trains the float network of a recipe (sections 'model' or 'new', 'data', 'train') and writes it
/// to float.onnx in the folder `out`. The best epoch is chosen on the validation part of the
/// training images. While it trains it keeps train.checkpoint there, whole at any moment
/// (docs/training.md). Throws Code::Usage where that is of another training, Code::Data where it is
/// damaged, Code::Numeric naming epoch and step where the loss is not finite: the checkpoint then
/// holds the best epoch, with which `resume` finishes.
TrainResult train(const std::filesystem::path& recipe, const std::filesystem::path& out,
                  const TrainOptions& options = {}, const ProgressSink& progress = {});

/// What the checkpoints in a folder hold, a line each: "qat.checkpoint: epoch 3, 120 batches".
/// Throws Code::Data for a damaged one.
std::vector<std::string> checkpoints_in(const std::filesystem::path& out);

}  // namespace octet
