#include "api/training_identity.h"

#include <format>

#include "base/text.h"
#include "quant/scheme_text.h"

namespace octet {
namespace {

void add_settings(const TrainSettings& settings, TrainingIdentity& identity) {
  const auto add = [&](const char* name, auto value) {
    identity.emplace_back(name, std::format("{}", value));
  };
  add("epochs", settings.epochs);
  add("batch", settings.batch);
  add("accumulate", settings.accumulate);
  add("optimizer", kOptimizerNames.at(static_cast<size_t>(settings.optimizer)));
  add("rate", settings.rate);
  add("momentum", settings.momentum);
  add("weight_decay", settings.weight_decay);
  add("schedule", kScheduleNames.at(static_cast<size_t>(settings.schedule)));
  add("warmup", settings.warmup);
  add("decay_every", settings.decay_every);
  add("decay", settings.decay);
  add("clip_gradient", settings.clip_gradient);
  add("label_smoothing", settings.label_smoothing);
  add("mixup", settings.mixup);
  add("augment.flip", settings.flip);
  add("augment.crop", settings.crop);
  add("average", settings.average);
  add("patience", settings.patience);
  add("teacher.weight", settings.teacher.weight);
  add("teacher.temperature", settings.teacher.temperature);
  add("teacher.features", settings.teacher.features);
  add("scope", settings.scope == QatScope::All ? "all" : "weighted");
  add("learn.activations", kGridMoveNames.at(static_cast<size_t>(settings.learn.activations)));
  add("learn.zero_points", settings.learn.zero_points);
  add("learn.weights", kGridMoveNames.at(static_cast<size_t>(settings.learn.weights)));
  add("learn.scale_rate", settings.learn.scale_rate);
  add("learn.freeze_after", settings.learn.freeze_after);
  add("learn.damping", settings.learn.damping);
  add("learn.most_flips", settings.learn.most_flips);
  add("batch_norm.train", settings.batch_norm.train);
  add("batch_norm.freeze_after", settings.batch_norm.freeze_after);
  add("batch_norm.estimate", settings.batch_norm.estimate);
  add("precision", settings.bfloat16 ? "bfloat16" : "float32");
}

}  // namespace

TrainingIdentity training_identity(const TrainingPlace& place, const TrainSettings& settings,
                                   const std::string& network) {
  TrainingIdentity identity{
      {"network", network},
      {"seed", std::to_string(place.recipe.seed)},
      {"number of training images", std::to_string(place.parts.train.size())},
      {"number of validation images", std::to_string(place.parts.validation.size())}};
  add_settings(settings, identity);
  return identity;
}

TrainingIdentity qat_identity(const TrainingPlace& place, const QuantizedNetwork& network,
                              const TrainSettings& settings, const std::string& source) {
  TrainingIdentity identity = training_identity(place, settings, source);
  const CalibrationSettings& calibration = place.recipe.calibration;
  identity.insert(identity.begin() + 1,
                  {{"targets", join(network.targets, ",")},
                   {"scheme", scheme_text(network.placement.scheme)},
                   {"overrides", overrides_text(network.overrides)},
                   {"io", io_text(network.form.io)},
                   {"calibration.images", std::to_string(calibration.images)},
                   {"calibration.observer", calibration.observer},
                   {"calibration.percentile", std::format("{}", calibration.percentile)},
                   {"calibration.norm", std::format("{}", calibration.norm)},
                   {"calibration.methods", join(calibration.methods, ",")},
                   {"calibration.migration", std::format("{}", calibration.migration)}});
  return identity;
}

}  // namespace octet
