#include "quant/calibrate.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <mutex>

#include "base/fail.h"
#include "engine/executor.h"
#include "quant/observer.h"

namespace octet {

Range constants_of(const Group& group, const Graph& graph) {
  Range range;
  for (const ValueId id : group.members) {
    const auto& constant = graph.value(id).constant;
    if (constant) range.include(range_of(constant->as<float>()));
  }
  return range;
}

namespace {

/// Large tensors are counted by all threads, each a part; the sum does not depend on the parts.
Histogram count(std::span<const float> values) {
  constexpr int64_t kPart = 1 << 16;
  Histogram whole;
  std::mutex mutex;
  try {
    at::parallel_for(0, std::ssize(values), kPart, [&](int64_t begin, int64_t end) {
      Histogram part;
      part.add(values.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin)));
      const std::lock_guard lock(mutex);
      whole.merge(part);
    });
  } catch (const Error&) {
    range_of(values);  // names the first bad element of all
    throw;
  }
  return whole;
}

class Watcher final : public Interpretation {
 public:
  Watcher(const Graph& graph, const Placement& placement) : graph_(graph), placement_(placement) {
    for (size_t i = 0; i < placement.groups.size(); ++i) {
      if (!std::holds_alternative<FromData>(placement.groups[i].rule)) continue;
      sketches_[i] = {};
    }
  }

  at::Tensor activation(ValueId id, const at::Tensor& tensor) override {
    if (tensor.scalar_type() != at::kFloat) return tensor;
    const auto group = placement_.group_of.find(id);
    // What moved was seen before; what is absorbed is never stored.
    if (group == placement_.group_of.end() || !sketches_.contains(group->second) ||
        placement_.exact.contains(id) || placement_.clipped_later.contains(id)) {
      return tensor;
    }
    const at::Tensor dense = tensor.is_non_overlapping_and_dense() ? tensor : tensor.contiguous();
    try {
      batch_[group->second].merge(
          count({dense.const_data_ptr<float>(), static_cast<size_t>(dense.numel())}));
    } catch (const Error& error) {
      const auto producer = graph_.producer(id);
      fail(error.code(), "calibrate: {}: the value '{}' cannot be calibrated: {}",
           producer ? describe(graph_.node(*producer)) : "network input", graph_.value(id).name,
           error.what());
    }
    return tensor;
  }

  void end_batch() {
    for (const auto& [group, histogram] : batch_) sketches_[group].add(histogram);
    batch_.clear();
  }

  /// With the constants, at the end: what is wrong with one is seen first where it is used.
  std::map<size_t, Sketch> take() {
    for (auto& [index, sketch] : sketches_) {
      sketch.constants = constants_of(placement_.groups[index], graph_);
    }
    return std::move(sketches_);
  }

 private:
  const Graph& graph_;
  const Placement& placement_;
  std::map<size_t, Sketch> sketches_;
  std::map<size_t, Histogram> batch_;
};

}  // namespace

void Calibration::merge(const Calibration& other) {
  for (const auto& [group, sketch] : other.sketches) sketches[group].merge(sketch);
  images += other.images;
}

Calibration observe(const Graph& graph, const Placement& placement, const NextImages& next) {
  const at::NoGradGuard no_grad;
  Executor executor(graph);
  Watcher watcher(graph, placement);
  std::vector<float> images;
  int64_t seen = 0;
  while (const int64_t count = next(images)) {
    seen += count;
    std::vector<int64_t> shape = graph.value(graph.inputs().at(0)).shape;
    shape.at(0) = count;
    at::Tensor batch = at::from_blob(images.data(), shape, at::kFloat);
    if (graph.value(graph.inputs().at(0)).dtype != DType::Float32) batch = batch.to(at::kLong);
    executor.run({&batch, 1}, watcher);
    watcher.end_batch();
  }
  if (seen == 0) fail(Code::Data, "calibrate: there are no calibration images");
  return {.sketches = watcher.take(), .images = seen};
}

Ranges choose_ranges(const Placement& placement, const Calibration& calibration,
                     const CalibrationSettings& settings) {
  const Observer& observer = observer_named(settings);
  const bool wide = placement.scheme.activation_bits == 16;
  const bool symmetric = wide || placement.scheme.activations == Scheme::Activations::Symmetric;
  Ranges found;
  for (const auto& [index, sketch] : calibration.sketches) {
    Range range = observer.range({.sketch = sketch,
                                  .settings = settings,
                                  .steps = wide ? 65535 : 255,
                                  .symmetric = symmetric});
    range.include(sketch.constants);
    const auto& bounds = std::get<FromData>(placement.groups.at(index).rule);
    range.low = std::max(range.low, bounds.low);
    range.high = std::min(range.high, bounds.high);
    found[index] = range;
  }
  return found;
}

Ranges calibrate(const Graph& graph, const Placement& placement, const NextImages& next,
                 const CalibrationSettings& settings) {
  observer_named(settings);  // before the work, not after it
  return choose_ranges(placement, observe(graph, placement, next), settings);
}

}  // namespace octet
