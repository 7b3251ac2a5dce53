#include "quant/calibrate.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <bit>
#include <mutex>

#include "base/fail.h"
#include "engine/cost.h"
#include "engine/executor.h"
#include "engine/reused_buffers.h"
#include "engine/workers.h"
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
      for (int64_t at = begin; at < end; at += kPart) {  // is looked at twice: keep it near
        part.add(values.subspan(static_cast<size_t>(at),
                                static_cast<size_t>(std::min(kPart, end - at))));
      }
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
    for (const ValueId id : read_by_products(graph)) means_[id] = {};
  }

  at::Tensor activation(ValueId id, const at::Tensor& tensor) override {
    if (tensor.scalar_type() != at::kFloat) return tensor;
    if (const auto mean = means_.find(id); mean != means_.end()) mean->second.add(tensor);
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
      fail(error.code(), "{}: the value '{}' cannot be calibrated: {}",
           producer ? describe(graph_.node(*producer)) : "network input", graph_.value(id).name,
           error.what());
    }
    return tensor;
  }

  Watcher of_nothing() const { return {graph_, placement_}; }
  /// What another one saw counts as of this batch.
  void add_batch(const Watcher& other) {
    for (const auto& [group, histogram] : other.batch_) batch_[group].merge(histogram);
    for (const auto& [id, mean] : other.means_) means_[id].merge(mean);
  }
  /// `images`: that were seen so far, with those of this batch.
  void end_batch(int64_t images) {
    for (const auto& [group, histogram] : batch_) {
      sketches_[group].add(histogram);
      sketches_[group].mark(images);
    }
    batch_.clear();
  }

  /// With the constants, at the end: what is wrong with one is seen first where it is used.
  std::map<size_t, Sketch> take() {
    for (auto& [index, sketch] : sketches_) {
      sketch.constants = constants_of(placement_.groups[index], graph_);
    }
    return std::move(sketches_);
  }
  ChannelMeans take_means() { return std::move(means_); }

 private:
  const Graph& graph_;
  const Placement& placement_;
  std::map<size_t, Sketch> sketches_;
  std::map<size_t, Histogram> batch_;
  ChannelMeans means_;
};

/// Images that are run together: as many as keep the activations near the processor, and few enough
/// for all cores to have some. A power of two that depends on the network alone, because some
/// operators round differently for other numbers of images.
int64_t images_in_part(const Graph& graph) {
  constexpr int64_t kElements = 6'000'000;
  constexpr int64_t kMost = 16;
  const int64_t fit = kElements / std::max<int64_t>(largest_activation(graph), 1);
  return std::bit_floor(static_cast<uint64_t>(std::clamp<int64_t>(fit, 1, kMost)));
}

/// One batch; `watcher` sees it as if it were run at once.
void look_in_parts(Executor& executor, const at::Tensor& batch, int64_t part, Watcher& watcher) {
  const int64_t count = (batch.size(0) + part - 1) / part;
  std::vector<Watcher> seen(static_cast<size_t>(count), watcher.of_nothing());
  on_workers(count, [&](int64_t i) {
    const at::Tensor images = batch.slice(0, i * part, std::min(batch.size(0), (i + 1) * part));
    executor.run({&images, 1}, seen[static_cast<size_t>(i)]);
  });
  for (const Watcher& of_part : seen) watcher.add_batch(of_part);
}

/// Batch after batch; images that make NaN or infinity are told from the others.
class Look {
 public:
  Look(const Graph& graph, const Placement& placement, const BadImages& bad)
      : graph_(graph),
        placement_(placement),
        bad_(bad),
        executor_(graph),
        watcher_(graph, placement) {}

  void take(const at::Tensor& batch) {
    try {
      look_in_parts(executor_, batch, part_, watcher_);
      seen_.images += batch.size(0);
    } catch (const Error& error) {
      if (error.code() != Code::Numeric) throw;
      take_one_by_one(batch, error);
    }
    watcher_.end_batch(seen_.images);
    given_ += batch.size(0);
    seen_.batch = std::max(seen_.batch, batch.size(0));
  }

  Calibration end() {
    if (given_ == 0) fail(Code::Data, "calibrate: there are no calibration images");
    if (seen_.images == 0) {
      fail(Code::Data, "calibrate: none of the {} calibration images is good; the first is {}",
           given_, seen_.skip_reasons[0]);
    }
    seen_.sketches = watcher_.take();
    seen_.means = watcher_.take_means();
    return std::move(seen_);
  }

 private:
  struct BadImage {
    int64_t number;
    std::string reason;
  };

  void take_one_by_one(const at::Tensor& batch, const Error& error) {
    std::vector<BadImage> found;
    int64_t good = 0;
    for (int64_t i = 0; i < batch.size(0); ++i) {
      Watcher alone(graph_, placement_);
      const at::Tensor image = batch.slice(0, i, i + 1);
      try {
        executor_.run({&image, 1}, alone);
        watcher_.add_batch(alone);
        ++good;
      } catch (const Error& why) {
        if (why.code() != Code::Numeric) throw;
        found.push_back({given_ + i, why.what()});
      }
      if (!bad_.skip && good > 0 && !found.empty()) break;
    }
    const bool alike = !bad_.skip && good == 0 && found.size() > 1;
    if (found.empty()) fail(Code::Numeric, "calibrate: {}", error.what());
    if (alike) fail(Code::Numeric, "calibrate: {}", found[0].reason);
    if (!bad_.skip) {
      fail(Code::Numeric,
           "calibrate: {}: {}; mend or remove the image, or go on without it (--bad-images skip, "
           "in a recipe 'calibration: {{bad_images: skip}}')",
           name(found[0].number), found[0].reason);
    }
    for (const BadImage& image : found) skip(image);
    seen_.images += good;
  }

  std::string name(int64_t number) const {
    return bad_.name ? bad_.name(number) : std::format("calibration image {}", number);
  }

  void skip(const BadImage& image) {
    seen_.skipped.push_back(image.number);
    if (seen_.skip_reasons.size() == kNamedBadImages) return;
    seen_.skip_reasons.push_back(std::format("{}: {}", name(image.number), image.reason));
  }

  const Graph& graph_;
  const Placement& placement_;
  const BadImages& bad_;
  Executor executor_;
  Watcher watcher_;
  const int64_t part_ = images_in_part(graph_);
  int64_t given_ = 0;
  Calibration seen_;
};

}  // namespace

void Calibration::merge(const Calibration& other) {
  for (const auto& [group, sketch] : other.sketches) {
    if (images > 0) sketches[group].mark(images);
    sketches[group].merge(sketch);
  }
  for (const auto& [id, mean] : other.means) means[id].merge(mean);
  images += other.images;
  batch = std::max(batch, other.batch);
  skipped.insert(skipped.end(), other.skipped.begin(), other.skipped.end());
  for (const std::string& reason : other.skip_reasons) {
    if (skip_reasons.size() < kNamedBadImages) skip_reasons.push_back(reason);
  }
}

Calibration observe(const Graph& graph, const Placement& placement, const NextImages& next,
                    const BadImages& bad) {
  const at::NoGradGuard no_grad;
  const ReusedBuffers reused;
  Look look(graph, placement, bad);
  std::vector<float> images;
  while (const int64_t count = next(images)) {
    std::vector<int64_t> shape = graph.value(graph.inputs().at(0)).shape;
    shape.at(0) = count;
    at::Tensor batch = at::from_blob(images.data(), shape, at::kFloat);
    if (graph.value(graph.inputs().at(0)).dtype != DType::Float32) batch = batch.to(at::kLong);
    look.take(batch);
  }
  return look.end();
}

Ranges choose_ranges(const Placement& placement, const Calibration& calibration,
                     const CalibrationSettings& settings) {
  const Observer& observer = observer_named(settings);
  Ranges found;
  for (const auto& [index, sketch] : calibration.sketches) found[index];
  std::vector<Ranges::value_type*> places;
  for (auto& place : found) places.push_back(&place);
  on_workers(std::ssize(places), [&](int64_t i) {
    auto& [index, range] = *places[static_cast<size_t>(i)];
    const Sketch& sketch = calibration.sketches.at(index);
    const Group& group = placement.groups.at(index);
    const bool wide = group.scheme.activation_bits == 16;
    const bool symmetric = wide || group.scheme.activations == Scheme::Activations::Symmetric;
    range = observer.range({.sketch = sketch,
                            .settings = settings,
                            .steps = wide ? 65535 : 255,
                            .symmetric = symmetric});
    range.include(sketch.constants);
    const auto& bounds = std::get<FromData>(group.rule);
    range.low = std::max(range.low, bounds.low);
    range.high = std::min(range.high, bounds.high);
  });
  return found;
}

Ranges calibrate(const Graph& graph, const Placement& placement, const NextImages& next,
                 const CalibrationSettings& settings, const BadImages& bad) {
  observer_named(settings);  // before the work, not after it
  return choose_ranges(placement, observe(graph, placement, next, bad), settings);
}

}  // namespace octet
