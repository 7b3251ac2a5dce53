#include "api/recipe_training.h"

namespace octet {
namespace {

constexpr Limits<int64_t> kBatches{1, 65536};
/// Of one-cycle, where nothing is said: it rises for longer than others.
constexpr double kCycleWarmup = 0.3;

void read_augment(YamlSection section, TrainSettings& settings) {
  settings.flip = section.flag("flip", settings.flip);
  settings.crop = section.whole("crop", {0, 1024}, settings.crop);
  section.finish();
}

void read_steps(YamlSection& section, TrainSettings& settings) {
  const std::vector<std::string> optimizers(kOptimizerNames.begin(), kOptimizerNames.end());
  const std::vector<std::string> schedules(kScheduleNames.begin(), kScheduleNames.end());
  settings.optimizer = static_cast<Optimizer>(
      section.choice("optimizer", optimizers, static_cast<size_t>(settings.optimizer)));
  settings.rate = section.real("rate", {0, 100}, settings.rate);
  if (settings.rate == 0 && settings.epochs > 0) {
    section.refuse_at("rate",
                      "the rate is 0, so nothing would be learnt; set a rate above 0, or "
                      "'epochs: 0'");
  }
  settings.momentum = section.real("momentum", {0, 0.9999}, settings.momentum);
  settings.weight_decay = section.real("weight_decay", {0, 1}, settings.weight_decay);
  settings.schedule = static_cast<Schedule>(
      section.choice("schedule", schedules, static_cast<size_t>(settings.schedule)));
  if (settings.schedule == Schedule::OneCycle) settings.warmup = kCycleWarmup;
  settings.warmup = section.real("warmup", {0, 1}, settings.warmup);
  settings.decay_every = section.whole("decay_every", {1, 10000}, settings.decay_every);
  settings.decay = section.real("decay", {0, 1}, settings.decay);
  settings.clip_gradient = section.real("clip_gradient", {0, 1000000}, settings.clip_gradient);
  settings.accumulate = section.whole("accumulate", kBatches, settings.accumulate);
}

void read_teacher(YamlSection section, TeacherSettings& settings) {
  settings.weight = section.real("weight", {0, 1}, settings.weight);
  settings.temperature = section.real("temperature", {0.1, 100}, settings.temperature);
  settings.features = section.real("features", {0, 1000}, settings.features);
  section.finish();
}

void read_learn(YamlSection section, LearnSettings& settings) {
  const std::vector<std::string> moves(kGridMoveNames.begin(), kGridMoveNames.end());
  const auto moved = [&](const char* key, GridMoves fallback) {
    return static_cast<GridMoves>(section.choice(key, moves, static_cast<size_t>(fallback)));
  };
  settings.activations = moved("activations", settings.activations);
  settings.weights = moved("weights", settings.weights);
  settings.zero_points = section.flag("zero_points", settings.zero_points);
  if (settings.zero_points && settings.activations != GridMoves::Learned) {
    section.refuse_at("zero_points",
                      "zero points learn beside scales; wanted 'activations: learned', or "
                      "'zero_points: false'");
  }
  settings.scale_rate = section.real("scale_rate", {0, 1000}, settings.scale_rate);
  settings.freeze_after = section.real("freeze_after", {0, 1}, settings.freeze_after);
  settings.damping = section.real("damping", {0, 1000}, settings.damping);
  settings.most_flips = section.real("most_flips", {0, 1}, settings.most_flips);
  section.finish();
}

void read_norms(YamlSection section, NormSettings& settings) {
  settings.train = section.flag("train", settings.train);
  settings.freeze_after = section.real("freeze_after", {0, 1}, settings.freeze_after);
  settings.estimate = section.whole("estimate", {1, 65536}, settings.estimate);
  section.finish();
}

}  // namespace

TrainSettings read_training(YamlSection section, TrainSettings settings, bool quantized) {
  settings.epochs = section.whole("epochs", {0, 10000}, settings.epochs);
  settings.batch = section.whole("batch", kBatches, settings.batch);
  read_steps(section, settings);
  settings.label_smoothing = section.real("label_smoothing", {0, 0.9}, settings.label_smoothing);
  settings.mixup = section.real("mixup", {0, 1}, settings.mixup);
  settings.average = section.real("average", {0, 0.999999}, settings.average);
  settings.patience = section.whole("patience", {0, 10000}, settings.patience);
  settings.checkpoint_minutes =
      section.real("checkpoint_minutes", {0, 1440}, settings.checkpoint_minutes);
  const std::vector<std::string> precisions = {"float32", "bfloat16"};
  settings.bfloat16 = section.choice("precision", precisions, settings.bfloat16 ? 1 : 0) == 1;
  read_augment(section.section("augment"), settings);
  if (quantized) {
    read_teacher(section.section("teacher"), settings.teacher);
    read_learn(section.section("learn"), settings.learn);
    read_norms(section.section("batch_norm"), settings.batch_norm);
    const std::vector<std::string> scopes = {"all", "weighted"};
    settings.scope =
        static_cast<QatScope>(section.choice("scope", scopes, static_cast<size_t>(settings.scope)));
    settings.control = section.flag("control", settings.control);
    if (settings.control && settings.teacher.weight >= 1) {
      section.refuse_at("control",
                        "the control is a float network, which learns from labels, and with "
                        "'teacher: {weight: 1}' none is read; wanted a weight below 1");
    }
  }
  section.finish();
  return settings;
}

}  // namespace octet
