#pragma once

#include "passes/passes.h"
#include "quant/calibrate.h"
#include "quant/solve.h"
#include "quant/stretches.h"
#include "support/graph_builder.h"

namespace octet::test {

/// A small network of residual blocks, calibrated: what methods that refine start from.
struct RefinedNet {
  Graph reference;
  Graph graph;
  Placement placement;
  QuantTable table;
  int64_t images_read = 0;

  explicit RefinedNet(const Scheme& scheme = {}, int64_t images = 24)
      : images_(random_tensor({images, 3, 8, 8}, 5, -1, 2)) {
    build();
    const std::vector<std::string> names{"onnxruntime-cpu", "tflite"};
    const TargetSet targets(names);
    simplify(reference);
    lower(reference, [&](std::string_view op) { return targets.supports(op); });
    placement = place(reference, targets, scheme);
    graph = reference;
    table = solve(graph, placement, calibrate(graph, placement, pass(), {.observer = "minmax"}));
    images_read = 0;
  }

  /// The images, eight at once.
  NextImages pass() {
    return [this, at = int64_t{0}](std::vector<float>& batch) mutable -> int64_t {
      const int64_t count = std::min<int64_t>(8, images_.shape[0] - at);
      if (count <= 0) return 0;
      const auto all = images_.as<float>().subspan(static_cast<size_t>(at) * kImage,
                                                   static_cast<size_t>(count) * kImage);
      batch.assign(all.begin(), all.end());
      at += count;
      images_read += count;
      return count;
    };
  }
  at::Tensor images() const { return to_torch(images_); }

  /// Constants that rounding places on grids of weights.
  std::vector<ValueId> weights() const {
    std::vector<ValueId> found;
    for (const NodeId id : graph.order()) {
      if (const ValueId weight = weight_of(graph, id, placement); weight != kAbsent) {
        found.push_back(weight);
      }
    }
    return found;
  }

 private:
  static constexpr size_t kImage = size_t{3} * 8 * 8;

  ValueId conv(ValueId in, int64_t from, int64_t to, int64_t window, bool biased = true) {
    std::vector<ValueId> inputs{in, drawn({to, from, window, window}, 0.4F)};
    if (biased) inputs.push_back(drawn({to}, 0.2F));
    return op("Conv", inputs, {{"pads", std::vector<int64_t>(4, window / 2)}});
  }
  ValueId drawn(Shape shape, float most) {
    return reference.add_constant("c", random_tensor(std::move(shape), ++seed_, -most, most));
  }
  ValueId op(const std::string& name, std::vector<ValueId> inputs,
             std::map<std::string, Attribute> attributes = {}) {
    return reference.add_op(name, name + "_" + std::to_string(reference.order().size()),
                            std::move(inputs), std::move(attributes));
  }
  void build() {
    const ValueId x = reference.add_input("x", DType::Float32, {-1, 3, 8, 8});
    const ValueId stem = op("Relu", {conv(x, 3, 8, 3)});
    const ValueId wide = op("Relu", {conv(stem, 8, 12, 3, false)});
    const ValueId sum = op("Relu", {op("Add", {stem, conv(wide, 12, 8, 1)})});
    const ValueId deep =
        op("Conv", {sum, drawn({8, 1, 3, 3}, 0.5F), drawn({8}, 0.2F)}, {{"group", int64_t{8}}});
    const ValueId clipped = op("Clip", {deep, number(0), number(6)});
    const ValueId flat = op("Flatten", {op("GlobalAveragePool", {clipped})});
    reference.add_output(op("Gemm", {flat, drawn({8, 5}, 1), drawn({5}, 0.5F)}));
    infer_shapes(reference);
  }
  ValueId number(float value) { return reference.add_constant("c", Tensor::scalar(value)); }

  Tensor images_;
  unsigned seed_ = 0;
};

}  // namespace octet::test
