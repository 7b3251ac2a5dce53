#include "train/train.h"

#include <ATen/core/grad_mode.h>

#include <memory>
#include <optional>

#include "base/fail.h"
#include "data/batch.h"
#include "engine/executor.h"
#include "engine/reused_buffers.h"
#include "kernels/rank.h"
#include "quant/apart_from_weights.h"
#include "quant/solve.h"
#include "quant/trained_norms.h"
#include "quant/training_simulation.h"
#include "train/half_products.h"
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
          .most_flips = static_cast<float>(learn.most_flips),
          .norms = settings.batch_norm.train,
          .apart = settings.scope == QatScope::Weighted
                       ? groups_apart_from_weights(graph, placement)
                       : std::set<size_t>{}};
}

/// What trains, around an interpretation.
class Products {
 public:
  Products(Interpretation& inner, bool bfloat16) : inner_(inner) {
    if (bfloat16) half_.emplace(inner);
  }
  Interpretation& get() { return half_ ? *half_ : inner_; }

 private:
  Interpretation& inner_;
  std::optional<HalfProducts> half_;
};

/// Runs the network on some of the training images, as they are.
void run_on_images(const Graph& graph, Executor& executor, Interpretation& interpretation,
                   const TrainingImages& images, const TrainSettings& settings, uint64_t seed) {
  const auto count =
      std::min(std::ssize(images.train), settings.batch_norm.estimate * settings.batch);
  std::vector<int64_t> some;
  for (const int64_t place : permutation(std::ssize(images.train), seed)) {
    if (std::ssize(some) < count) some.push_back(images.train[static_cast<size_t>(place)]);
  }
  BatchReader reader(images.dataset, std::move(some), {.size = settings.batch, .labels = false});
  for (Batch batch; reader.next(batch);) {
    const at::Tensor input = images_of(graph, batch);
    executor.run({&input, 1}, interpretation, false);
  }
}

}  // namespace

TrainingResult train_float(Graph& graph, const TrainingImages& images,
                           const TrainSettings& settings, uint64_t seed,
                           const ProgressSink& progress, const Checkpoints& checkpoints) {
  const ReusedBuffers reused;
  Executor executor(graph);
  Interpretation plain;
  NoGrids grids;
  Products products(plain, settings.bfloat16);
  Trainee trainee{.name = "train",
                  .graph = graph,
                  .executor = executor,
                  .interpretation = products.get(),
                  .grids = grids,
                  .validate = {}};
  if (!images.validation.empty()) {
    trainee.validate = [&] { return right_share(graph, executor, plain, images, nullptr); };
  }
  TrainingResult result = run_training(trainee, images, settings, seed, checkpoints, progress);
  executor.write_back(graph);
  return result;
}

void require_folded_norms(const Graph& graph, const TrainSettings& settings) {
  if (!settings.batch_norm.train || !folded_norms(graph).empty()) return;
  fail(
      Code::Recipe,
      "qat: 'batch_norm: {{train: true}}', but octet has folded no BatchNormalization in this "
      "network; leave it out, or, where the exporter has folded them, export them (in PyTorch with "
      "training=TrainingMode.PRESERVE)");
}

TrainingResult train_quantized(Graph& graph, const Placement& placement, QuantTable& table,
                               const TrainingImages& images, const TrainSettings& settings,
                               uint64_t seed, const ProgressSink& progress,
                               const QuantizedTraining& with) {
  require_folded_norms(graph, settings);
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
  Products products(simulation, settings.bfloat16);
  Trainee trainee{.name = "qat",
                  .graph = graph,
                  .executor = executor,
                  .interpretation = products.get(),
                  .grids = grids,
                  .teacher = teacher.get(),
                  .validate = {},
                  .keep_start = true};
  if (TrainedNorms* norms = simulation.norms()) {
    const auto look = [&] { run_on_images(graph, executor, simulation, images, settings, seed); };
    norms->begin(checkpoints.resume ? std::function<void()>() : look);
    trainee.settle = [norms, look] { norms->estimate(look); };
  }
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
