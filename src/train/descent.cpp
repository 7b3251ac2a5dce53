#include "train/descent.h"

#include <ATen/Context.h>

#include <algorithm>
#include <cmath>
#include <format>

#include "base/fail.h"
#include "data/random.h"
#include "train/image_loss.h"
#include "train/kept_state.h"
#include "train/moving_tensors.h"

namespace octet {
namespace {

std::vector<ParameterGroup> groups_of(const Trainee& trainee, const TrainSettings& settings) {
  ParameterGroup weights{.decay = settings.weight_decay};
  ParameterGroup plain;
  for (auto [id, parameter] : trainee.executor.parameters()) {
    parameter.set_requires_grad(true);
    auto& group = parameter.dim() > 1 ? weights : plain;
    group.parameters.emplace("weight:" + trainee.graph.value(id).name, parameter);
  }
  ParameterGroup grids{.factor = settings.learn.scale_rate};
  for (const auto& [name, variable] : trainee.grids.variables()) {
    grids.parameters.emplace("grid:" + name, variable);
  }
  if (weights.parameters.empty() && plain.parameters.empty() && grids.parameters.empty()) {
    fail(Code::Recipe,
         "{}: the network has nothing that could be trained: no weights, scales or shifts; set "
         "'epochs: 0'",
         trainee.name);
  }
  return {weights, plain, grids};
}

}  // namespace

Descent::Descent(const Trainee& trainee, const TrainSettings& settings, uint64_t seed,
                 int64_t batches_in_epoch)
    : trainee_(trainee),
      settings_(settings),
      seed_(seed),
      batches_(batches_in_epoch),
      steps_in_epoch_((batches_in_epoch + settings.accumulate - 1) / settings.accumulate),
      tensors_(moving_tensors(trainee.graph, trainee.executor, trainee.grids)),
      optimizer_(settings.optimizer, groups_of(trainee, settings)) {
  if (settings.average > 0) average_.emplace(tensors_, settings.average);
}

int64_t Descent::step_of(int64_t number) const {
  return number / batches_ * steps_in_epoch_ + in_epoch(number) / settings_.accumulate;
}

bool Descent::steps_after(int64_t number) const {
  return in_epoch(number + 1) == 0 || in_epoch(number + 1) % settings_.accumulate == 0;
}

/// The step lies behind this share of all steps.
bool Descent::is_past(double share, int64_t step) const {
  const auto steps = static_cast<double>(settings_.epochs * steps_in_epoch_);
  return share < 1 && static_cast<double>(step) >= share * steps;
}

void Descent::begin_step(int64_t step) {
  if (!grids_frozen_ && is_past(settings_.learn.freeze_after, step)) {
    trainee_.grids.freeze();
    grids_frozen_ = true;
  }
  if (!norms_frozen_ && is_past(settings_.batch_norm.freeze_after, step)) {
    trainee_.grids.freeze_norms();
    norms_frozen_ = true;
  }
  optimizer_.zero_grad();
}

std::expected<double, std::string> Descent::learn_from(Batch& batch, int64_t number) {
  const int64_t step = step_of(number);
  const int64_t before = in_epoch(number) / settings_.accumulate * settings_.accumulate;
  if (in_epoch(number) == before) begin_step(step);
  const auto place = static_cast<uint64_t>(number);
  at::manual_seed(Random(seed_, place).next());  // of dropout
  const at::Tensor loss = image_loss(trainee_, settings_, batch, {.seed = seed_, .place = place});
  const double value = loss.item<double>();
  if (!std::isfinite(value)) return std::unexpected(std::format("the loss is {}", value));
  const int64_t together = std::min(settings_.accumulate, batches_ - before);
  (together == 1 ? loss : loss / static_cast<double>(together)).backward();
  if (!steps_after(number)) return value;

  const double norm = optimizer_.gradient_norm();
  if (!std::isfinite(norm)) {
    return std::unexpected(std::format("the loss is {} and its gradient {}", value, norm));
  }
  if (settings_.clip_gradient > 0 && norm > settings_.clip_gradient) {
    optimizer_.scale_gradients(settings_.clip_gradient / norm);
  }
  optimizer_.step(pace_at(settings_, step, settings_.epochs * steps_in_epoch_, steps_in_epoch_));
  trainee_.grids.after_step();
  if (average_) average_->add(tensors_, step);
  return value;
}

void Descent::keep(Checkpoint& checkpoint) const {
  keep_tensors("present/", tensors_, checkpoint);
  keep_tensors("optimizer/", optimizer_.state(), checkpoint);
  keep_tensors("memory/", trainee_.grids.memory(), checkpoint);
  if (average_) keep_tensors("average/", average_->tensors(), checkpoint);
}

void Descent::restore(const Checkpoint& checkpoint, const std::string& place) {
  restore_tensors("present/", checkpoint, tensors_, place);
  restore_tensors("optimizer/", checkpoint, optimizer_.state(), place);
  restore_tensors("memory/", checkpoint, trainee_.grids.memory(), place);
  if (average_) restore_tensors("average/", checkpoint, average_->tensors(), place);
}

}  // namespace octet
