#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "api/training.h"

namespace octet {

/// Beginning of the name of the file that a candidate is written to.
inline constexpr std::string_view kCandidateName = "candidate.";

/// Measures a quantized network in training as it is deployed: writes its file beside the
/// checkpoints, runs it in its runtime over the validation images, and removes it. A function for
/// `QuantizedTraining::validate`.
class DeployedScore {
 public:
  /// Where `by_float` is true, right is what the float network (float.onnx in the folder) says, and
  /// no label is read.
  DeployedScore(const TrainingPlace& place, const QuantizedNetwork& network, bool by_float);

  /// Per cent right.
  double operator()(const Graph& graph, const QuantTable& table) const;

 private:
  std::shared_ptr<QuantizedNetwork> form_;  ///< what a file says besides graph and table
  std::shared_ptr<const Dataset> images_;
  std::filesystem::path path_;
  int64_t batch_;
};

}  // namespace octet
