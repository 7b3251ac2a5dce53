#include "quant/bias_correction.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>

#include <format>
#include <map>

#include "base/fail.h"
#include "base/progress.h"
#include "engine/executor.h"
#include "ops/op_def.h"
#include "quant/added_bias.h"
#include "quant/simulate.h"
#include "quant/solve.h"
#include "quant/stretches.h"

namespace octet {
namespace {

/// Sums over images and places, for each channel.
struct ChannelSums {
  at::Tensor sum;
  at::Tensor squares;
  int64_t count = 0;

  void add(const at::Tensor& output, int64_t axis) {
    std::vector<int64_t> others;
    for (int64_t d = 0; d < output.dim(); ++d) {
      if (d != axis) others.push_back(d);
    }
    const at::Tensor real = output.to(at::kDouble);
    const at::Tensor total = others.empty() ? real : real.sum(others);
    const at::Tensor square = others.empty() ? real * real : (real * real).sum(others);
    sum = sum.defined() ? sum + total : total;
    squares = squares.defined() ? squares + square : square;
    count += output.numel() / output.size(axis);
  }
  at::Tensor mean() const { return sum / static_cast<double>(count); }
  at::Tensor deviation() const {
    const at::Tensor square = squares / static_cast<double>(count) - mean() * mean();
    return square.clamp_min(0).sqrt();
  }
};

/// The axis of the output's channels: images have theirs second, rows last.
int64_t channel_axis(const Node& node, const at::Tensor& output) {
  return node.op.starts_with("Conv") ? 1 : output.dim() - 1;
}

/// Looks at what some nodes put out, before it is rounded; `Run` rounds the rest, or not.
template <class Run>
class OutputSums final : public Run {
 public:
  template <class... Arguments>
  explicit OutputSums(std::map<ValueId, const Node*> looked_at, const Arguments&... arguments)
      : Run(arguments...), looked_at_(std::move(looked_at)) {}
  at::Tensor activation(ValueId id, const at::Tensor& tensor) override {
    const auto node = looked_at_.find(id);
    if (node != looked_at_.end()) {
      sums[id].add(tensor, channel_axis(*node->second, tensor));
    }
    return Run::activation(id, tensor);
  }
  std::map<ValueId, ChannelSums> sums;

 private:
  std::map<ValueId, const Node*> looked_at_;
};

int64_t stream_through(const Graph& graph, Executor& executor, Interpretation& interpretation,
                       const NextImages& next) {
  const at::NoGradGuard no_grad;
  Shape shape = graph.value(graph.inputs().at(0)).shape;
  std::vector<float> batch;
  int64_t images = 0;
  while (const int64_t count = next(batch)) {
    shape.at(0) = count;
    const at::Tensor input = at::from_blob(batch.data(), shape, at::kFloat);
    executor.run({&input, 1}, interpretation);
    images += count;
  }
  if (images == 0) fail(Code::Data, "bias-correction: there are no images to calibrate with");
  return images;
}

class BiasCorrector {
 public:
  BiasCorrector(const Graph& reference, Graph& graph, Placement& placement, QuantTable& table)
      : reference_(reference), graph_(graph), placement_(placement), table_(table) {
    for (const NodeId id : graph.order()) {
      if (weight_of(graph, id, placement) == kAbsent) continue;
      if (takes_bias(graph.node(id))) {
        layers_.push_back(id);
      } else {
        result_.without.push_back(describe(graph.node(id)));
      }
    }
  }

  BiasCorrection run(const ImagePasses& images, const ProgressSink& progress) {
    Step step(progress, "bias-correction", static_cast<int64_t>(layers_.size()), "layers");
    const auto wanted = sums_of_reference(images());
    double errors = 0;
    for (const NodeId id : layers_) {
      const ValueId out = graph_.node(id).outputs[0];
      const ChannelSums rounded = sums_of_rounded(id, images());
      const at::Tensor error = rounded.mean() - wanted.at(out).mean();
      step.advance(1);
      if (!error.isfinite().all().item<bool>()) {
        result_.not_finite.push_back(describe(graph_.node(id)));
        continue;
      }
      ++result_.layers;
      const at::Tensor share = error.abs() / wanted.at(out).deviation().clamp_min(1e-12);
      errors += share.mean().item<double>();
      take_from_bias(graph_, placement_, id, error);
      solve_constants(graph_, placement_, table_);
    }
    result_.before = result_.layers == 0 ? 0 : errors / static_cast<double>(result_.layers);
    return result_;
  }

 private:
  std::map<ValueId, ChannelSums> sums_of_reference(const NextImages& next) {
    std::map<ValueId, const Node*> outputs;
    for (const NodeId id : layers_) {
      outputs.emplace(reference_.node(id).outputs[0], &reference_.node(id));
    }
    OutputSums<Interpretation> look(outputs);
    Executor executor(reference_);
    stream_through(reference_, executor, look, next);
    return std::move(look.sums);
  }

  ChannelSums sums_of_rounded(NodeId id, const NextImages& next) {
    const Node& node = graph_.node(id);
    const ValueId out = node.outputs[0];
    const Stretch whole{graph_.order(), graph_.inputs().at(0), graph_.outputs().at(0)};
    const Stretch way = up_to(graph_, whole, out);
    Executor executor(graph_, {way.nodes, graph_.inputs(), {out}});
    OutputSums<Simulation> look({{out, &node}}, graph_, placement_, table_);
    stream_through(graph_, executor, look, next);
    return look.sums.at(out);
  }

  const Graph& reference_;
  Graph& graph_;
  Placement& placement_;
  QuantTable& table_;
  std::vector<NodeId> layers_;
  BiasCorrection result_;
};

}  // namespace

BiasCorrection correct_biases(const Graph& reference, Graph& graph, Placement& placement,
                              QuantTable& table, const ImagePasses& images,
                              const ProgressSink& progress) {
  return BiasCorrector(reference, graph, placement, table).run(images, progress);
}

}  // namespace octet
