#include "train/train.h"

#include <ATen/Context.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/from_blob.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <cmath>
#include <functional>
#include <memory>
#include <numbers>

#include "base/fail.h"
#include "base/progress.h"
#include "data/batch.h"
#include "engine/executor.h"
#include "kernels/rank.h"
#include "quant/simulate.h"
#include "quant/solve.h"

namespace octet {
namespace {

/// Rises linearly over the warm-up, then stays or falls to 0 by a cosine.
double rate_at(const TrainSettings& settings, int64_t step, int64_t steps) {
  const double warmup = settings.warmup * static_cast<double>(steps);
  const auto now = static_cast<double>(step);
  if (now < warmup) return settings.rate * (now + 1) / (warmup + 1);
  if (!settings.cosine) return settings.rate;
  const double share = (now - warmup) / std::max(1.0, static_cast<double>(steps) - warmup);
  return settings.rate * 0.5 * (1 + std::cos(std::numbers::pi * share));
}

class Trainer {
 public:
  Trainer(const Graph& graph, Executor& executor, Interpretation& interpretation,
          const TrainingImages& images, const TrainSettings& settings, uint64_t seed,
          const ProgressSink& progress, std::string name)
      : graph_(graph),
        executor_(executor),
        interpretation_(interpretation),
        images_(images),
        settings_(settings),
        seed_(seed),
        progress_(progress),
        name_(std::move(name)) {
    if (images.train.empty()) fail(Code::Data, "{}: there are no training images", name_);
    at::manual_seed(seed);
    make_optimizer();
  }

  /// With `keep_start` the untrained state is a candidate too.
  TrainingResult run(bool keep_start) {
    TrainingResult result;
    double best = -1;
    const auto consider = [&](Epoch epoch) {
      result.epochs.push_back(epoch);
      if (epoch.validation <= best) return;
      best = epoch.validation;
      result.best = epoch.number;
      best_weights_ = executor_.snapshot();
    };
    if (keep_start || settings_.epochs == 0) consider({0, 0, validate(0)});
    for (int64_t number = 1; number <= settings_.epochs; ++number) {
      const double loss = learn(number);
      consider({number, loss, validate(number)});
    }
    executor_.restore(best_weights_);
    return result;
  }

 private:
  void make_optimizer() {
    std::vector<at::Tensor> decayed;
    std::vector<at::Tensor> plain;
    for (auto [id, parameter] : executor_.parameters()) {
      parameter.set_requires_grad(true);
      (parameter.dim() > 1 ? decayed : plain).push_back(parameter);
    }
    const auto groups = [&](auto options) {
      std::vector<torch::optim::OptimizerParamGroup> made;
      for (const bool decay : {true, false}) {
        const auto& members = decay ? decayed : plain;
        if (members.empty()) continue;
        auto own = std::make_unique<decltype(options)>(options);
        own->weight_decay(decay ? settings_.weight_decay : 0.0);
        made.emplace_back(members, std::move(own));
      }
      return made;
    };
    if (settings_.optimizer == Optimizer::Adam) {
      torch::optim::AdamWOptions options(settings_.rate);
      options.betas({settings_.momentum, 0.999});
      optimizer_ = std::make_unique<torch::optim::AdamW>(groups(options), options);
    } else {
      torch::optim::SGDOptions options(settings_.rate);
      options.momentum(settings_.momentum);
      optimizer_ = std::make_unique<torch::optim::SGD>(groups(options), options);
    }
  }

  at::Tensor as_tensor(Batch& batch) const {
    Shape shape = graph_.value(graph_.inputs().at(0)).shape;
    shape.at(0) = batch.count;
    return at::from_blob(batch.images.data(), shape, at::kFloat);
  }

  at::Tensor loss_of(Batch& batch) {
    const at::Tensor input = as_tensor(batch);
    const at::Tensor logits = executor_.run({&input, 1}, interpretation_, true).at(0);
    const at::Tensor labels = at::from_blob(batch.labels.data(), {batch.count}, at::kLong);
    for (const int64_t label : batch.labels) {
      if (label >= logits.size(1)) {
        fail(Code::Data, "{}: a label is {}, the network has {} classes", name_, label,
             logits.size(1));
      }
    }
    return at::cross_entropy_loss(logits, labels, {}, at::Reduction::Mean, -100,
                                  settings_.label_smoothing);
  }

  /// One pass over the training images; the mean loss.
  double learn(int64_t number) {
    const int64_t count = static_cast<int64_t>(images_.train.size());
    std::vector<int64_t> order(images_.train.size());
    const auto shuffled = permutation(count, seed_ + static_cast<uint64_t>(number) * 1000003);
    for (size_t i = 0; i < order.size(); ++i) {
      order[i] = images_.train[static_cast<size_t>(shuffled[i])];
    }
    BatchReader reader(images_.dataset, std::move(order),
                       {.size = settings_.batch,
                        .augment = {.flip = settings_.flip, .crop = settings_.crop},
                        .seed = seed_ * 7919 + static_cast<uint64_t>(number)});
    Step step(progress_, std::format("{} {}/{}", name_, number, settings_.epochs), count, "images");
    double sum = 0;
    int64_t in_epoch = 0;
    for (Batch batch; reader.next(batch); ++in_epoch, ++step_) {
      set_rate(rate_at(settings_, step_, settings_.epochs * reader.batches()));
      optimizer_->zero_grad();
      at::Tensor loss = loss_of(batch);
      const double value = loss.item<double>();
      if (!std::isfinite(value)) {
        fail(Code::Numeric, "{}: the loss is {} in epoch {}, step {}; try a rate below {}", name_,
             value, number, in_epoch + 1, settings_.rate);
      }
      loss.backward();
      optimizer_->step();
      sum += value;
      step.advance(batch.count,
                   std::format("loss {:.3f}", sum / static_cast<double>(in_epoch + 1)));
    }
    return sum / static_cast<double>(std::max<int64_t>(1, in_epoch));
  }

  void set_rate(double rate) {
    for (auto& group : optimizer_->param_groups()) group.options().set_lr(rate);
  }

  /// Top-1 on the validation images, percent; without any, later epochs count as better.
  double validate(int64_t number) {
    if (images_.validation.empty()) return static_cast<double>(number);
    const at::NoGradGuard no_grad;
    BatchReader reader(images_.dataset, images_.validation, {.size = 256});
    int64_t right = 0;
    for (Batch batch; reader.next(batch);) {
      const at::Tensor input = as_tensor(batch);
      const at::Tensor logits =
          executor_.run({&input, 1}, interpretation_, false).at(0).contiguous();
      const auto classes = static_cast<size_t>(logits.size(1));
      for (size_t i = 0; i < batch.labels.size(); ++i) {
        const float* row = logits.const_data_ptr<float>() + i * classes;
        right += rank_of({row, classes}, batch.labels[i]) == 0 ? 1 : 0;
      }
    }
    const double top1 =
        100.0 * static_cast<double>(right) / static_cast<double>(images_.validation.size());
    Step step(progress_, std::format("{} {}/{}: validation", name_, number, settings_.epochs),
              static_cast<int64_t>(images_.validation.size()), "images");
    step.advance(static_cast<int64_t>(images_.validation.size()),
                 std::format("top-1 {:.2f} %", top1));
    return top1;
  }

  const Graph& graph_;
  Executor& executor_;
  Interpretation& interpretation_;
  const TrainingImages& images_;
  const TrainSettings& settings_;
  uint64_t seed_;
  const ProgressSink& progress_;
  std::string name_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
  std::map<ValueId, at::Tensor> best_weights_;
  int64_t step_ = 0;
};

}  // namespace

TrainingResult train_float(Graph& graph, const TrainingImages& images,
                           const TrainSettings& settings, uint64_t seed,
                           const ProgressSink& progress) {
  Executor executor(graph);
  Interpretation plain;
  TrainingResult result =
      Trainer(graph, executor, plain, images, settings, seed, progress, "train").run(false);
  executor.write_back(graph);
  return result;
}

TrainingResult train_quantized(Graph& graph, const Placement& placement, QuantTable& table,
                               const TrainingImages& images, const TrainSettings& settings,
                               uint64_t seed, const ProgressSink& progress) {
  Executor executor(graph);
  TrainingSimulation simulation(placement, table, executor);
  TrainingResult result =
      Trainer(graph, executor, simulation, images, settings, seed, progress, "qat").run(true);
  executor.write_back(graph);
  solve_constants(graph, placement, table);
  return result;
}

}  // namespace octet
