#include "train/unit_walk.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <format>
#include <optional>
#include <set>

#include "base/fail.h"
#include "base/progress.h"
#include "quant/solve.h"

namespace octet {
namespace {

constexpr int64_t kImagesAtOnce = 32;

/// How many numbers each value has for an image, and whether its first dimension is that of the
/// images.
class Sizes final : public Interpretation {
 public:
  explicit Sizes(int64_t images) : images_(images) {}
  at::Tensor activation(ValueId id, const at::Tensor& tensor) override {
    if (tensor.dim() > 0 && tensor.size(0) == images_) by_image_.insert(id);
    numbers_[id] = (tensor.numel() + images_ - 1) / images_;
    return tensor;
  }
  bool by_image(ValueId id) const { return by_image_.contains(id); }
  int64_t bytes(ValueId id) const { return numbers_.at(id) * static_cast<int64_t>(sizeof(float)); }

 private:
  int64_t images_;
  std::set<ValueId> by_image_;
  std::map<ValueId, int64_t> numbers_;
};

/// Only where each image has a part of its own can what lives be held image by image.
std::vector<Stretch> join_others(std::vector<Stretch> blocks, const Sizes& sizes) {
  std::vector<Stretch> joined;
  for (Stretch& block : blocks) {
    if (!joined.empty() && !sizes.by_image(joined.back().output)) {
      auto& before = joined.back();
      before.nodes.insert(before.nodes.end(), block.nodes.begin(), block.nodes.end());
      before.output = block.output;
    } else {
      joined.push_back(std::move(block));
    }
  }
  return joined;
}

/// Runs part of a network over images that are held.
at::Tensor pass(const Graph& graph, const Stretch& part, Interpretation& interpretation,
                const at::Tensor& images) {
  if (part.nodes.empty()) return images;
  const at::NoGradGuard no_grad;
  Executor executor(graph, {part.nodes, {part.input}, {part.output}});
  std::vector<at::Tensor> outputs;
  for (int64_t first = 0; first < images.size(0); first += kImagesAtOnce) {
    const at::Tensor some =
        images.narrow(0, first, std::min(kImagesAtOnce, images.size(0) - first));
    outputs.push_back(executor.run({&some, 1}, interpretation).at(0));
  }
  return at::cat(outputs);
}

class Walk {
 public:
  Walk(const Graph& reference, Graph& graph, const Placement& placement, QuantTable& table,
       const WalkSettings& settings, const ProgressSink& progress)
      : reference_(reference),
        graph_(graph),
        placement_(placement),
        table_(table),
        settings_(settings),
        progress_(progress) {}

  std::vector<LearnedUnit> run(const NextImages& next) {
    read_images(next);
    int64_t units = 0;
    for (const Stretch& block : blocks_) {
      units += settings_.by_layer ? std::ssize(layers_of(graph_, block, placement_)) : 1;
    }
    Step step(progress_, settings_.name, units, settings_.by_layer ? "layers" : "blocks");
    std::vector<LearnedUnit> learned;
    for (const Stretch& block : blocks_) {
      if (settings_.by_layer) {
        for (const Stretch& layer : layers_of(graph_, block, placement_)) {
          learn(layer, data_of(block, layer), learned, step);
        }
        real_ = pass(reference_, block, plain_, real_);
      } else {
        const at::Tensor wanted = pass(reference_, block, plain_, real_);
        learn(block, {rounded_, real_, wanted, rounded_.size(0)}, learned, step);
        real_ = wanted;
      }
      Simulation simulation(graph_, placement_, table_);
      rounded_ = pass(graph_, block, simulation, rounded_);
    }
    solve_derived(graph_, placement_, table_);
    return learned;
  }

 private:
  void read_images(const NextImages& next) {
    std::vector<float> batch;
    std::vector<at::Tensor> read;
    Shape shape = reference_.value(reference_.inputs().at(0)).shape;
    int64_t held = 0;
    for (int64_t wanted = settings_.images; held < wanted;) {
      shape.at(0) = next(batch);
      if (shape[0] == 0) break;
      const at::Tensor images = at::from_blob(batch.data(), shape, at::kFloat);
      if (held == 0) wanted = std::min(wanted, plan(images.narrow(0, 0, 1)));
      read.push_back(images.narrow(0, 0, std::min(shape[0], wanted - held)).clone());
      held += read.back().size(0);
    }
    if (read.empty()) fail(Code::Data, "{}: there are no images to learn from", settings_.name);
    real_ = at::cat(read);
    real_ = at::empty_like(real_, real_.options(), at::MemoryFormat::ChannelsLast).copy_(real_);
    Simulation simulation(graph_, placement_, table_);
    rounded_ = simulation.activation(graph_.inputs()[0], real_);
  }

  /// Cuts the network; returns for how many images blocks fit into half of the cache.
  int64_t plan(const at::Tensor& image) {
    const at::NoGradGuard no_grad;
    const at::Tensor three = at::cat({image, image, image});
    sizes_.emplace(3);
    Executor(reference_).run({&three, 1}, *sizes_);
    blocks_ = join_others(cut_where_narrow(graph_, table_), *sizes_);
    int64_t most = 1;
    for (const Stretch& block : blocks_) {
      most = std::max(most, 2 * (sizes_->bytes(block.input) + sizes_->bytes(block.output)));
    }
    return std::max<int64_t>(1, half_of_cache() / most);
  }

  int64_t half_of_cache() const { return settings_.cache * 1024 * 1024 / 2; }

  /// What a layer takes and gives, for as many images as fit into the other half.
  UnitData data_of(const Stretch& block, const Stretch& layer) {
    const int64_t bytes = sizes_->bytes(layer.input) + sizes_->bytes(layer.output);
    const int64_t images = std::clamp<int64_t>(half_of_cache() / bytes, 1, rounded_.size(0));
    Simulation simulation(graph_, placement_, table_);
    UnitData data{.rounded = rounded_.narrow(0, 0, images),
                  .real = {},
                  .wanted = pass(reference_, up_to(graph_, block, layer.output), plain_,
                                 real_.narrow(0, 0, images)),
                  .images = images};
    if (layer.input != block.input) {
      data.rounded = pass(graph_, up_to(graph_, block, layer.input), simulation, data.rounded);
    }
    return data;
  }

  void learn(const Stretch& unit, const UnitData& data, std::vector<LearnedUnit>& learned,
             Step& step) {
    UnitLearner learner(reference_, graph_, placement_, table_, unit, settings_.unit);
    if (!learner.learns()) return step.advance(1);
    const double power = data.wanted.square().mean().item<double>();
    const double before = learner.error(data);
    double after = before;
    if (before > 0 && std::isfinite(before)) {
      learner.learn(data, before);
      after = learner.error(data);
      if (!(after < before)) {
        learner.undo();
        after = before;
      }
    }
    const double unit_of_error = power > 0 ? power : 1;
    learned.push_back(
        {graph_.value(unit.output).name, before / unit_of_error, after / unit_of_error});
    step.advance(1, std::format("error {:.0f} %", before > 0 ? 100 * after / before : 100));
  }

  const Graph& reference_;
  Graph& graph_;
  const Placement& placement_;
  QuantTable& table_;
  const WalkSettings& settings_;
  const ProgressSink& progress_;
  Interpretation plain_;
  std::optional<Sizes> sizes_;
  std::vector<Stretch> blocks_;
  at::Tensor rounded_;  ///< what the present block takes, in the rounded network
  at::Tensor real_;     ///< and in the float network
};

}  // namespace

std::vector<LearnedUnit> learn_units(const Graph& reference, Graph& graph,
                                     const Placement& placement, QuantTable& table,
                                     const NextImages& next, const WalkSettings& settings,
                                     const ProgressSink& progress) {
  return Walk(reference, graph, placement, table, settings, progress).run(next);
}

}  // namespace octet
