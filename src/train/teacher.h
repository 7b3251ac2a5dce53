#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "engine/executor.h"
#include "train/settings.h"

namespace octet {

/// The float network that a quantized one learns from. Its weights stay, and it looks at the same
/// (augmented, mixed) images.
class Teacher {
 public:
  /// `network`: the float network; `student`: the graph that learns. Throws Code::Usage where
  /// features are asked for and the two have no value in common.
  Teacher(const Graph& network, const Graph& student, const TeacherSettings& settings);

  /// Values of the student that are compared with the teacher's of the same name and shape: what
  /// residual additions put out; where there are none, what weighted operators do. None without
  /// features.
  const std::vector<ValueId>& features() const { return features_; }

  /// Of the student's outputs for `images`: the logits, then its features. Temperature squared
  /// times KL(teacher || student) of the softmax at that temperature, mean over the images.
  at::Tensor divergence(const at::Tensor& images, const std::vector<at::Tensor>& outputs);
  /// Mean over the features of the mean square of their error, as a share of the mean square of
  /// the teacher's; of the images of the last `divergence`.
  at::Tensor feature_error(const std::vector<at::Tensor>& outputs) const;

  /// The class of each image.
  std::vector<int64_t> predictions(const at::Tensor& images);

 private:
  std::vector<at::Tensor> run(const at::Tensor& images);

  TeacherSettings settings_;
  std::vector<ValueId> features_;
  Executor executor_;
  Interpretation plain_;
  std::vector<at::Tensor> wanted_;  ///< the teacher's outputs for the last images
};

}  // namespace octet
