#include "eval/comparison.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>

#include "base/fail.h"
#include "base/progress.h"
#include "base/text.h"
#include "data/batch.h"
#include "engine/executor.h"
#include "eval/image_layout.h"
#include "kernels/rank.h"
#include "quant/exact.h"

namespace octet {
namespace {

/// Elements of tensors that are in memory at a time, and images.
constexpr int64_t kElements = int64_t{1} << 25;
constexpr int64_t kImages = 32;

template <class T>
void widen(const Tensor& tensor, int32_t moved, std::vector<int32_t>& out) {
  std::ranges::transform(tensor.as<T>(), out.begin(),
                         [&](T number) { return static_cast<int32_t>(number) - moved; });
}

/// The file's integers on the network's grid: uint8 stands for int8 moved by 128.
std::vector<int32_t> integers_of(const Tensor& tensor, const QuantParams& grid) {
  std::vector<int32_t> out(static_cast<size_t>(tensor.size()));
  const bool moved = grid.type == DType::Int8 || grid.type == DType::Int16;
  switch (tensor.dtype) {
    case DType::Int8: widen<int8_t>(tensor, 0, out); break;
    case DType::UInt8: widen<uint8_t>(tensor, moved ? 128 : 0, out); break;
    case DType::Int16: widen<int16_t>(tensor, 0, out); break;
    case DType::UInt16: widen<uint16_t>(tensor, moved ? 32768 : 0, out); break;
    default: widen<int32_t>(tensor, 0, out); break;
  }
  return out;
}

class Comparer;

/// The exact simulation, each of whose values is compared when it is made.
class ComparedSimulation final : public ExactSimulation {
 public:
  ComparedSimulation(const Compared& compared, Comparer& comparer)
      : ExactSimulation(compared.graph, compared.placement, compared.table, compared.dialect),
        comparer_(comparer) {}
  at::Tensor activation(ValueId id, const at::Tensor& tensor) override;

 private:
  Comparer& comparer_;
};

/// The float network, likewise.
class ComparedFloat final : public Interpretation {
 public:
  explicit ComparedFloat(Comparer& comparer) : comparer_(comparer) {}
  at::Tensor activation(ValueId id, const at::Tensor& tensor) override;

 private:
  Comparer& comparer_;
};

class Comparer {
 public:
  explicit Comparer(const Compared& compared)
      : compared_(compared),
        executor_(compared.graph),
        simulation_(compared, *this),
        float_(*this) {}

  /// `images` as the graph takes them.
  void compare(const Seen& seen, std::span<const float> images) {
    const at::NoGradGuard no_grad;
    seen_.clear();
    for (const SeenValue& value : seen.values) seen_[value.value] = &value.integers;
    const std::vector<int32_t> file = predictions(seen.logits, seen.images);
    const auto simulated = run(images, seen.images, simulation_);
    const auto in_float = run(images, seen.images, float_);
    for (size_t i = 0; i < file.size(); ++i) {
      result_.same_as_simulated += file[i] == simulated[i] ? 1 : 0;
      result_.same_as_float += file[i] == in_float[i] ? 1 : 0;
    }
    result_.images += seen.images;
  }

  void compare_simulated(ValueId id, const at::Tensor& real) {
    const auto it = seen_.find(id);
    if (it == seen_.end()) return;
    check_shape(id, *it->second, real);
    const QuantParams& grid = *compared_.table.find(id);
    const at::Tensor exact = to_integers(real, grid).contiguous();
    const auto* simulated = exact.const_data_ptr<int32_t>();
    ValueComparison& held = entry(id);
    const std::vector<int32_t> deployed = integers_of(*it->second, grid);
    for (size_t i = 0; i < deployed.size(); ++i) {
      const int64_t steps = std::abs(int64_t{deployed[i]} - simulated[i]);
      if (steps == 0) continue;
      if (held.differing == 0) {
        held.deployed = deployed[i];
        held.simulated = simulated[i];
      }
      ++held.differing;
      held.largest = std::max(held.largest, steps);
    }
    held.elements += static_cast<int64_t>(deployed.size());
  }

  void compare_float(ValueId id, const at::Tensor& real) {
    const auto it = seen_.find(id);
    if (it == seen_.end()) return;
    const QuantParams& grid = *compared_.table.find(id);
    const std::vector<int32_t> deployed = integers_of(*it->second, grid);
    const at::Tensor plain = real.contiguous();
    const auto* wanted = plain.const_data_ptr<float>();
    ValueComparison& held = entry(id);
    for (size_t i = 0; i < deployed.size(); ++i) {
      const double number = wanted[i];
      const double gap = (deployed[i] - grid.zero_point[0]) * double{grid.scale[0]} - number;
      held.signal += number * number;
      held.noise += gap * gap;
    }
  }

  SideBySide result() {
    for (auto& [id, held] : entries_) result_.values.push_back(held);
    std::map<ValueId, size_t> place;
    for (const ValueId id : compared_.graph.inputs()) place.emplace(id, place.size());
    for (const NodeId id : compared_.graph.order()) {
      for (const ValueId out : compared_.graph.node(id).outputs) place.emplace(out, place.size());
    }
    std::ranges::sort(result_.values, {},
                      [&](const ValueComparison& held) { return place.at(held.value); });
    return std::move(result_);
  }

 private:
  ValueComparison& entry(ValueId id) {
    ValueComparison& held = entries_[id];
    held.value = id;
    return held;
  }

  void check_shape(ValueId id, const Tensor& seen, const at::Tensor& real) const {
    const std::span<const int64_t> wanted{real.sizes().data(), real.sizes().size()};
    if (std::ranges::equal(seen.shape, wanted)) return;
    fail(Code::Model,
         "the value '{}' is {} in the file, {} in the network: it is the file of another network; "
         "give the network that it was made from",
         compared_.graph.value(id).name, shape_text(seen.shape), shape_text(wanted));
  }

  std::vector<int32_t> run(std::span<const float> images, int64_t count, Interpretation& reading) {
    Shape shape = compared_.graph.value(compared_.graph.inputs().at(0)).shape;
    shape.at(0) = count;
    const at::Tensor batch = to_torch(Tensor::of<float>(shape, images));
    const Tensor logits = from_torch(executor_.run({&batch, 1}, reading).at(0));
    return predictions(logits.as<float>(), count);
  }

  static std::vector<int32_t> predictions(std::span<const float> logits, int64_t count) {
    std::vector<int32_t> found;
    const size_t classes = logits.size() / static_cast<size_t>(count);
    for (size_t i = 0; i < logits.size(); i += classes) {
      found.push_back(static_cast<int32_t>(prediction(logits.subspan(i, classes))));
    }
    return found;
  }

  const Compared& compared_;
  Executor executor_;
  ComparedSimulation simulation_;
  ComparedFloat float_;
  std::map<ValueId, const Tensor*> seen_;  ///< of the images at hand
  std::map<ValueId, ValueComparison> entries_;
  SideBySide result_;
};

at::Tensor ComparedSimulation::activation(ValueId id, const at::Tensor& tensor) {
  at::Tensor made = ExactSimulation::activation(id, tensor);
  comparer_.compare_simulated(id, made);
  return made;
}

at::Tensor ComparedFloat::activation(ValueId id, const at::Tensor& tensor) {
  comparer_.compare_float(id, tensor);
  return tensor;
}

/// How many images are run together: a multiple of what the file takes at a time.
int64_t images_together(const Compared& compared, int64_t batch) {
  int64_t elements = 1;
  for (const auto& [id, grid] : compared.table.values()) {
    const Value& value = compared.graph.value(id);
    if (value.constant) continue;
    int64_t own = 1;
    for (const int64_t dim : value.shape) own *= std::max<int64_t>(dim, 1);
    elements += own;
  }
  const int64_t images = std::clamp<int64_t>(kElements / elements, 1, kImages);
  return std::max(batch, images / batch * batch);
}

/// The images of a value are its first dimension, and nothing else depends on them.
bool images_in_front(const Graph& graph, const SeenValue& seen) {
  const Shape& shape = graph.value(seen.value).shape;
  return !shape.empty() && shape[0] < 0 && !seen.integers.shape.empty() &&
         seen.integers.shape[0] == 1 &&
         std::ranges::none_of(std::span(shape).subspan(1), [](int64_t dim) { return dim < 0; });
}

/// What was computed image by image as computed together, where that is the same: simulating many
/// images at once is faster.
std::vector<Seen> merged(std::vector<Seen> all, const Graph& graph) {
  for (const Seen& seen : all) {
    const auto in_front = [&](const SeenValue& value) { return images_in_front(graph, value); };
    if (seen.images != 1 || !std::ranges::all_of(seen.values, in_front)) return all;
  }
  std::vector<Seen> one(std::make_move_iterator(all.begin()),
                        std::make_move_iterator(all.begin() + 1));
  for (const Seen& seen : std::span(all).subspan(1)) {
    one[0].images += seen.images;
    one[0].logits.append_range(seen.logits);
    for (size_t i = 0; i < seen.values.size(); ++i) {
      one[0].values[i].integers.shape[0] += 1;
      one[0].values[i].integers.bytes.append_range(seen.values[i].integers.bytes);
    }
  }
  return one;
}

}  // namespace

double ValueComparison::sqnr() const {
  return noise == 0 ? std::numeric_limits<double>::infinity() : 10 * std::log10(signal / noise);
}

SideBySide compare_values(Look& file, const Compared& compared, const ProgressSink& progress) {
  const Shape chw = compared.dataset.shape();
  const bool move = wants_channels_last(file.image_shape(), chw);
  const auto wanted = static_cast<int64_t>(compared.images.size()) / file.batch() * file.batch();
  if (wanted == 0) {
    fail(Code::Data, "there are {} images to compare with; the file takes {} at a time",
         compared.images.size(), file.batch());
  }
  BatchReader reader(compared.dataset, {compared.images.begin(), compared.images.begin() + wanted},
                     {.size = images_together(compared, file.batch())});
  Comparer comparer(compared);
  Step step(progress, "verify", wanted, "images");
  for (Batch batch; reader.next(batch);) {
    const std::span<const float> images = batch.images;
    const std::vector<float> moved = move ? channels_last(images, chw) : std::vector<float>{};
    size_t first = 0;
    const auto all = merged(file.run(move ? moved : images, batch.count), compared.graph);
    for (const Seen& seen : all) {
      const size_t size =
          static_cast<size_t>(seen.images) * images.size() / static_cast<size_t>(batch.count);
      comparer.compare(seen, images.subspan(first, size));
      first += size;
    }
    step.advance(batch.count);
  }
  return comparer.result();
}

}  // namespace octet
