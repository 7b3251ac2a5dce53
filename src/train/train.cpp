#include "train/train.h"

#include <ATen/core/grad_mode.h>

#include <memory>

#include "data/batch.h"
#include "engine/executor.h"
#include "engine/reused_buffers.h"
#include "kernels/rank.h"
#include "quant/solve.h"
#include "quant/training_simulation.h"
#include "train/image_loss.h"
#include "train/teacher.h"
#include "train/trained_grids.h"
#include "train/trainer.h"

namespace octet {
namespace {

/// Per cent of the validation images of which the network says what the labels do, or, where there
/// is one, the judge.
double right_share(const Graph& graph, Executor& executor, Interpretation& interpretation,
                   const TrainingImages& images, Teacher* judge) {
  const at::NoGradGuard no_grad;
  BatchReader reader(images.dataset, images.validation, {.size = 256, .labels = !judge});
  int64_t right = 0;
  for (Batch batch; reader.next(batch);) {
    const at::Tensor input = images_of(graph, batch);
    const at::Tensor logits = executor.run({&input, 1}, interpretation, false).at(0).contiguous();
    const std::vector<int64_t> wanted = judge ? judge->predictions(input) : batch.labels;
    const auto classes = static_cast<size_t>(logits.size(1));
    for (size_t i = 0; i < wanted.size(); ++i) {
      const float* row = logits.const_data_ptr<float>() + i * classes;
      right += rank_of({row, classes}, wanted[i]) == 0 ? 1 : 0;
    }
  }
  return 100.0 * static_cast<double>(right) / static_cast<double>(images.validation.size());
}

LearnedGrids learned_grids(const TrainSettings& settings, const Graph& graph,
                           const Placement& placement) {
  const LearnSettings& learn = settings.learn;
  return {.activations = learn.activations,
          .zero_points = learn.zero_points,
          .weights = learn.weights,
          // It comes in with each batch's gradient, losses as their mean.
          .damping = static_cast<float>(learn.damping / static_cast<double>(settings.accumulate)),
          .apart = settings.scope == QatScope::Weighted
                       ? groups_apart_from_weights(graph, placement)
                       : std::set<size_t>{}};
}

}  // namespace

TrainingResult train_float(Graph& graph, const TrainingImages& images,
                           const TrainSettings& settings, uint64_t seed,
                           const ProgressSink& progress, const Checkpoints& checkpoints) {
  const ReusedBuffers reused;
  Executor executor(graph);
  Interpretation plain;
  NoGrids grids;
  Trainee trainee{.name = "train",
                  .graph = graph,
                  .executor = executor,
                  .interpretation = plain,
                  .grids = grids,
                  .validate = {}};
  if (!images.validation.empty()) {
    trainee.validate = [&] { return right_share(graph, executor, plain, images, nullptr); };
  }
  TrainingResult result = run_training(trainee, images, settings, seed, checkpoints, progress);
  executor.write_back(graph);
  return result;
}

TrainingResult train_quantized(Graph& graph, const Placement& placement, QuantTable& table,
                               const TrainingImages& images, const TrainSettings& settings,
                               uint64_t seed, const ProgressSink& progress,
                               const QuantizedTraining& with) {
  const ReusedBuffers reused;
  const Checkpoints& checkpoints = with.checkpoints;
  if (checkpoints.resume) {
    restore_grids(checkpoints.resume->tensors, graph, table, checkpoints.place);
    solve_derived(graph, placement, table);
  }
  std::unique_ptr<Teacher> teacher;
  if (settings.teacher.any()) {
    teacher =
        std::make_unique<Teacher>(with.teacher ? *with.teacher : graph, graph, settings.teacher);
  }
  Part part{graph.order(), graph.inputs(), graph.outputs()};
  if (teacher) std::ranges::copy(teacher->features(), std::back_inserter(part.outputs));
  Executor executor(graph, part);
  const std::set<ValueId> seen(part.outputs.begin(), part.outputs.end());
  TrainingSimulation simulation(graph, placement, table, executor,
                                learned_grids(settings, graph, placement), seen);
  SimulatedGrids grids(simulation);
  Trainee trainee{.name = "qat",
                  .graph = graph,
                  .executor = executor,
                  .interpretation = simulation,
                  .grids = grids,
                  .teacher = teacher.get(),
                  .validate = {},
                  .keep_start = true};
  keep_grids(graph, table, trainee.kept);
  if (!images.validation.empty()) {
    trainee.validate = [&] {
      if (!with.validate) {
        Teacher* const judge = settings.teacher.weight >= 1 ? teacher.get() : nullptr;
        return right_share(graph, executor, simulation, images, judge);
      }
      Graph candidate = graph;
      QuantTable entries = table;
      executor.write_back(candidate);
      grids.write(candidate, entries);
      return with.validate(candidate, entries);
    };
  }
  TrainingResult result = run_training(trainee, images, settings, seed, checkpoints, progress);
  executor.write_back(graph);
  grids.write(graph, table);
  return result;
}

}  // namespace octet
