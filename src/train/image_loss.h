#pragma once

#include "data/batch.h"
#include "train/trainer.h"

namespace octet {

/// What the random numbers of a batch are a function of.
struct RandomPlace {
  uint64_t seed = 0;
  uint64_t place = 0;  ///< the batch's number in the whole training
};

/// The loss of a batch, with its gradients: cross entropy with the labels (smoothed, and mixed
/// where images are), by one part, the divergence from the teacher by the other, and the error of
/// the features. Throws Code::Data for a label that the network lacks.
at::Tensor image_loss(const Trainee& trainee, const TrainSettings& settings, Batch& batch,
                      RandomPlace random);

/// The images of a batch as a tensor on its memory.
at::Tensor images_of(const Graph& graph, Batch& batch);

}  // namespace octet
