#include "api/training.h"

#include <format>

#include "api/checkpoint_file.h"
#include "api/deployed_score.h"
#include "api/training_identity.h"
#include "base/file.h"
#include "graph/fingerprint.h"

namespace octet {
namespace {

/// Names of what trainings write begin with these.
constexpr std::array<std::string_view, 4> kTrainingFiles{"train.checkpoint", "qat.checkpoint",
                                                         "control.checkpoint", kCandidateName};

void remove_files(const std::filesystem::path& out, bool half_written) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(out, ignored)) {
    const std::string name = entry.path().filename().string();
    for (const std::string_view start : kTrainingFiles) {
      if (!name.starts_with(start)) continue;
      if (half_written && !name.contains(".partial-")) continue;
      std::filesystem::remove(entry.path(), ignored);
    }
  }
}

Checkpoints checkpoints_at(const TrainingPlace& place, const std::filesystem::path& path,
                           const TrainingIdentity& identity) {
  remove_files(place.out, /*half_written=*/true);
  Checkpoints checkpoints{
      .place = path.string(),
      .keep = [path, identity](
                  const Checkpoint& checkpoint) { write_checkpoint(path, checkpoint, identity); },
      .resume = {}};
  if (place.resume && std::filesystem::exists(path)) {
    checkpoints.resume = read_checkpoint(path, identity);
  }
  return checkpoints;
}

TrainingResult train_in_float(const TrainingPlace& place, Graph& graph,
                              const TrainSettings& settings, const std::filesystem::path& path) {
  const TrainingImages images{place.dataset, place.parts.train, place.parts.validation};
  const Checkpoints checkpoints =
      checkpoints_at(place, path, training_identity(place, settings, fingerprint(graph)));
  return train_float(graph, images, settings, place.recipe.seed, place.progress, checkpoints);
}

}  // namespace

TrainingResult train_in(const TrainingPlace& place, Graph& graph) {
  return train_in_float(place, graph, place.recipe.train, place.train_checkpoint());
}

TrainingResult train_control(const TrainingPlace& place, Graph& graph) {
  TrainSettings settings = place.recipe.qat;
  settings.teacher = {};
  return train_in_float(place, graph, settings, place.control_checkpoint());
}

TrainingResult train_in(const TrainingPlace& place, QuantizedNetwork& network,
                        const Graph& observed, const std::string& source) {
  const TrainSettings& settings = place.recipe.qat;
  const TrainingImages images{place.dataset, place.parts.train, place.parts.validation};
  QuantizedTraining with{.teacher = &observed, .validate = {}, .checkpoints = {}};
  if (!images.validation.empty() && settings.epochs > 0) {
    with.validate = DeployedScore(place, network, settings.teacher.weight >= 1);
  }
  with.checkpoints =
      checkpoints_at(place, place.qat_checkpoint(), qat_identity(place, network, settings, source));
  return train_quantized(network.graph, network.placement, network.table, images, settings,
                         place.recipe.seed, place.progress, with);
}

void remove_checkpoints(const TrainingPlace& place) {
  remove_files(place.out, /*half_written=*/false);
}

}  // namespace octet
