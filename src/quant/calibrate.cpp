#include "quant/calibrate.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>

#include <memory>

#include "base/fail.h"
#include "engine/executor.h"
#include "quant/observer.h"

namespace octet {
namespace {

class Watcher final : public Interpretation {
 public:
  Watcher(const Graph& graph, const Placement& placement, const CalibrationSettings& settings)
      : graph_(graph), placement_(placement) {
    for (size_t i = 0; i < placement.groups.size(); ++i) {
      if (!std::holds_alternative<FromData>(placement.groups[i].rule)) continue;
      observers_[i] = make_observer(settings);
    }
  }

  at::Tensor activation(ValueId id, const at::Tensor& tensor) override {
    if (tensor.scalar_type() != at::kFloat) return tensor;
    const auto group = placement_.group_of.find(id);
    const auto observer =
        group == placement_.group_of.end() ? observers_.end() : observers_.find(group->second);
    // What moved was seen before; what is absorbed is never stored.
    if (observer == observers_.end() || placement_.exact.contains(id) ||
        placement_.clipped_later.contains(id)) {
      return tensor;
    }
    const at::Tensor dense = tensor.is_non_overlapping_and_dense() ? tensor : tensor.contiguous();
    try {
      observer->second->observe(
          {dense.const_data_ptr<float>(), static_cast<size_t>(dense.numel())});
    } catch (const Error& error) {
      const auto producer = graph_.producer(id);
      fail(error.code(), "calibrate: {}: the value '{}' cannot be calibrated: {}",
           producer ? describe(graph_.node(*producer)) : "network input", graph_.value(id).name,
           error.what());
    }
    return tensor;
  }

  Ranges ranges() const {
    Ranges found;
    for (const auto& [index, observer] : observers_) {
      const Group& group = placement_.groups[index];
      Range range = observer->range();
      for (ValueId id : group.members) {
        if (const auto& constant = graph_.value(id).constant) {
          range.include(range_of(constant->as<float>()));
        }
      }
      const auto& bounds = std::get<FromData>(group.rule);
      range.low = std::max(range.low, bounds.low);
      range.high = std::min(range.high, bounds.high);
      found[index] = range;
    }
    return found;
  }

 private:
  const Graph& graph_;
  const Placement& placement_;
  std::map<size_t, std::unique_ptr<Observer>> observers_;
};

}  // namespace

Ranges calibrate(const Graph& graph, const Placement& placement, const NextImages& next,
                 const CalibrationSettings& settings) {
  const at::NoGradGuard no_grad;
  Executor executor(graph);
  Watcher watcher(graph, placement, settings);
  std::vector<float> images;
  bool any = false;
  while (const int64_t count = next(images)) {
    any = true;
    std::vector<int64_t> shape = graph.value(graph.inputs().at(0)).shape;
    shape.at(0) = count;
    at::Tensor batch = at::from_blob(images.data(), shape, at::kFloat);
    if (graph.value(graph.inputs().at(0)).dtype != DType::Float32) batch = batch.to(at::kLong);
    executor.run({&batch, 1}, watcher);
  }
  if (!any) fail(Code::Data, "calibrate: there are no calibration images");
  return watcher.ranges();
}

}  // namespace octet
