#include "train/image_loss.h"

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/from_blob.h>

#include "base/fail.h"
#include "train/mixup.h"

namespace octet {
namespace {

constexpr uint64_t kMixupSeed = 0x6d69787570;  // apart from that of dropout

void check_labels(const std::string& name, const Batch& batch, int64_t classes) {
  for (const int64_t label : batch.labels) {
    if (label >= 0 && label < classes) continue;
    fail(Code::Data, "{}: a label is {}, the network has {} classes, 0 to {}", name, label, classes,
         classes - 1);
  }
}

at::Tensor label_loss(const at::Tensor& logits, Batch& batch, const TrainSettings& settings,
                      double share) {
  const at::Tensor labels = at::from_blob(batch.labels.data(), {batch.count}, at::kLong);
  const auto loss = [&](const at::Tensor& wanted) {
    return at::cross_entropy_loss(logits, wanted, {}, at::Reduction::Mean, -100,
                                  settings.label_smoothing);
  };
  if (share == 1) return loss(labels);
  return loss(labels) * share + loss(labels.flip({0})) * (1 - share);
}

}  // namespace

at::Tensor images_of(const Graph& graph, Batch& batch) {
  Shape shape = graph.value(graph.inputs().at(0)).shape;
  shape.at(0) = batch.count;
  return at::from_blob(batch.images.data(), shape, at::kFloat);
}

at::Tensor image_loss(const Trainee& trainee, const TrainSettings& settings, Batch& batch,
                      RandomPlace random) {
  at::Tensor images = images_of(trainee.graph, batch);
  double share = 1;
  if (settings.mixup > 0) {
    share = mixup_share(settings.mixup, random.seed ^ kMixupSeed, random.place);
    images = mixed_with_reverse(images, share);
  }
  const auto outputs = trainee.executor.run({&images, 1}, trainee.interpretation, true);
  const at::Tensor& logits = outputs.at(0);
  const double taught = trainee.teacher ? settings.teacher.weight : 0;
  at::Tensor loss;
  if (taught < 1) {
    check_labels(trainee.name, batch, logits.size(1));
    loss = label_loss(logits, batch, settings, share);
    if (taught > 0) loss = loss * (1 - taught);
  }
  if (!trainee.teacher) return loss;
  const at::Tensor divergence = trainee.teacher->divergence(images, outputs) * taught;
  loss = loss.defined() ? loss + divergence : divergence;
  if (settings.teacher.features > 0) {
    loss = loss + trainee.teacher->feature_error(outputs) * settings.teacher.features;
  }
  return loss;
}

}  // namespace octet
