#include "quant/sensitivity.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/log_softmax.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "base/fail.h"
#include "engine/executor.h"
#include "ops/op_def.h"
#include "quant/simulate.h"

namespace octet {

double NoiseSums::sqnr() const {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  if (!std::isfinite(noise)) return -kInfinite;
  if (noise == 0) return kInfinite;
  return 10 * std::log10(signal / noise);
}

void NoiseSums::add(const NoiseSums& other) {
  signal += other.signal;
  noise += other.noise;
}

int64_t images_at_once(const Graph& graph) {
  constexpr int64_t kBytes = int64_t{128} << 20;
  int64_t numbers = 0;
  for (const NodeId id : graph.order()) {
    for (const ValueId out : graph.node(id).outputs) {
      if (out == kAbsent) continue;
      int64_t count = 1;
      for (const int64_t size : graph.value(out).shape) count *= std::max<int64_t>(size, 1);
      numbers += count;
    }
  }
  // What is computed again is held beside what is kept.
  return std::clamp<int64_t>(kBytes / (8 * std::max<int64_t>(numbers, 1)), 1, 32);
}

namespace {

NoiseSums noise_between(const at::Tensor& exact, const at::Tensor& rounded) {
  const at::Tensor wide = exact.to(at::kDouble);
  const at::Tensor error = rounded.to(at::kDouble) - wide;
  return {wide.mul(wide).sum().item<double>(), error.mul(error).sum().item<double>()};
}

/// The float network's values over one batch, and what becomes of them when one layer is rounded.
class Replay final : public Interpretation {
 public:
  Replay(const Graph& graph, const Placement& placement, const QuantTable& table)
      : graph_(graph), table_(table), executor_(graph), rounding_(graph, placement, table) {
    for (const NodeId id : graph.order()) ops_.push_back(&op_of(graph.node(id)));
  }

  at::Tensor activation(ValueId id, const at::Tensor& tensor) override {
    kept_[id] = tensor;
    return tensor;
  }

  void keep(const at::Tensor& batch) {
    kept_.clear();
    executor_.run({&batch, 1}, *this);
  }

  const at::Tensor& kept(ValueId id) const { return kept_.at(id); }

  NoiseSums rounded_result(ValueId id) {
    return noise_between(kept(id), rounding_.activation(id, kept(id)));
  }

  /// The layer's results with its weights rounded, and nothing else.
  NoiseSums rounded_weight(const Layer& layer) {
    const Values found = run(layer, {.results = false, .beyond = false});
    NoiseSums sums;
    for (const ValueId id : layer.results) {
      if (const auto it = found.find(id); it != found.end()) {
        sums.add(noise_between(kept(id), it->second));
      }
    }
    return sums;
  }

  /// The network's output with the layer rounded.
  at::Tensor output(const Layer& layer) {
    const ValueId out = graph_.outputs().at(0);
    const Values found = run(layer, {.results = true, .beyond = true});
    const auto it = found.find(out);
    return it == found.end() ? kept(out) : it->second;
  }

 private:
  using Values = std::map<ValueId, at::Tensor>;
  struct Reach {
    bool results;  ///< the layer's results are rounded
    bool beyond;   ///< what follows the layer is computed too
  };

  Values run(const Layer& layer, Reach reach) {
    const std::set<NodeId> inside(layer.nodes.begin(), layer.nodes.end());
    Values changed;
    if (inside.empty() && reach.results) {
      for (const ValueId id : layer.results) changed[id] = rounding_.activation(id, kept(id));
    }
    for (size_t i = 0; i < graph_.order().size(); ++i) {
      const NodeId id = graph_.order()[i];
      const Node& node = graph_.node(id);
      const bool own = inside.contains(id);
      const auto touched = [&](ValueId in) { return changed.contains(in); };
      if (!own && !(reach.beyond && std::ranges::any_of(node.inputs, touched))) continue;
      std::vector<at::Tensor> arguments;
      for (const ValueId in : node.inputs) arguments.push_back(fetch(in, changed, own));
      const auto results = ops_[i]->run.value({node, arguments});
      for (size_t r = 0; r < results.size() && r < node.outputs.size(); ++r) {
        const ValueId out = node.outputs[r];
        if (out == kAbsent) continue;
        changed[out] = own && reach.results ? rounding_.activation(out, results[r])
                       : own                ? results[r]
                                            : saturated(out, results[r]);
      }
    }
    return changed;
  }

  /// What a layer's noise drives beyond the end of a later grid stays at that end, as integers do;
  /// where the float network is beyond itself, it stays with it. A divisor that is rounded to 0
  /// would otherwise be without measure.
  at::Tensor saturated(ValueId id, const at::Tensor& tensor) const {
    const QuantParams* grid = table_.find(id);
    if (!grid || !grid->per_tensor() || tensor.scalar_type() != at::kFloat) return tensor;
    const auto end = [&](int32_t integer) {
      return grid->scale[0] * static_cast<float>(integer - grid->zero_point[0]);
    };
    const at::Tensor& real = kept_.at(id);
    return tensor.nan_to_num(0).clamp(real.clamp_max(end(grid->low)),
                                      real.clamp_min(end(grid->high)));
  }

  at::Tensor fetch(ValueId id, const Values& changed, bool rounded) {
    if (id == kAbsent) return {};
    if (const auto it = changed.find(id); it != changed.end()) return it->second;
    if (const auto it = kept_.find(id); it != kept_.end()) return it->second;
    const at::Tensor& constant = executor_.constant(id);
    return rounded ? rounding_.constant(id, constant) : constant;
  }

  const Graph& graph_;
  const QuantTable& table_;
  Executor executor_;
  Simulation rounding_;
  std::vector<const OpDef*> ops_;
  Values kept_;
};

/// Adds what the output differs by, image by image.
void compare_logits(const at::Tensor& exact, const at::Tensor& rounded, LayerNoise& sums) {
  const at::Tensor real = exact.reshape({exact.size(0), -1}).to(at::kDouble);
  const at::Tensor other = rounded.reshape({rounded.size(0), -1}).to(at::kDouble);
  sums.logits.add(noise_between(real, other));
  const at::Tensor log_real = at::log_softmax(real, 1);
  const at::Tensor distance = log_real.exp() * (log_real - at::log_softmax(other, 1));
  const double sum = distance.sum().item<double>();
  sums.divergence += std::isnan(sum) ? std::numeric_limits<double>::infinity() : std::max(sum, 0.0);
  sums.changed += real.argmax(1).ne(other.argmax(1)).sum().item<int64_t>();
}

}  // namespace

NetworkNoise measure_noise(const Graph& graph, const Placement& placement, const QuantTable& table,
                           std::span<const Layer> layers, const NextImages& next) {
  const at::NoGradGuard no_grad;
  Replay replay(graph, placement, table);
  NetworkNoise found{.layers = std::vector<LayerNoise>(layers.size()), .images = 0};
  std::vector<float> images;
  while (const int64_t count = next(images)) {
    std::vector<int64_t> shape = graph.value(graph.inputs().at(0)).shape;
    shape.at(0) = count;
    replay.keep(at::from_blob(images.data(), shape, at::kFloat));
    const at::Tensor exact = replay.kept(graph.outputs().at(0));
    for (size_t i = 0; i < layers.size(); ++i) {
      LayerNoise& sums = found.layers[i];
      for (const ValueId id : layers[i].results) sums.result.add(replay.rounded_result(id));
      if (layers[i].weight != kAbsent) sums.weight.add(replay.rounded_weight(layers[i]));
      compare_logits(exact, replay.output(layers[i]), sums);
    }
    found.images += count;
  }
  if (found.images == 0) fail(Code::Data, "sensitivity: there are no images");
  return found;
}

}  // namespace octet
