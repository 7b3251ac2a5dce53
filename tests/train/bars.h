#pragma once

#include <gtest/gtest.h>

#include "engine/executor.h"
#include "networks/architectures.h"
#include "passes/passes.h"
#include "quant/calibrate.h"
#include "quant/solve.h"
#include "support/shapes_data.h"
#include "train/train.h"

namespace octet::test {

/// The bars data set, and a network for it, in float or quantized.
class Bars : public ::testing::Test {
 protected:
  struct Quantized {
    Graph graph;
    Placement placement;
    QuantTable table;
  };

  Bars() {
    write_bars(folder_, 640, 64);
    dataset_ = open_dataset({.format = "idx",
                             .images = folder_ / "train-images",
                             .labels = folder_ / "train-labels",
                             .classes = 4,
                             .mean = {0.2F},
                             .deviation = {0.2F}});
    for (int64_t i = 0; i < 640; ++i) (i < 512 ? train_ : validation_).push_back(i);
  }

  static Graph network(int64_t classes = 4) {
    Graph graph = make_network("mobilenetv3-tiny", {{1, 12, 12}, classes, 0.5}, 3);
    infer_shapes(graph);
    return graph;
  }
  TrainingImages images() const { return {*dataset_, train_, validation_}; }

  /// Fused, lowered and calibrated on the first images.
  Quantized quantized(Graph graph) const {
    const std::vector<std::string> names{"onnxruntime-cpu"};
    const TargetSet targets(names);
    simplify(graph);
    lower(graph, [&](std::string_view op) { return targets.supports(op); });
    Placement placement = place(graph, targets);
    bool given = false;
    const auto next = [&](std::vector<float>& out) -> int64_t {
      if (std::exchange(given, true)) return 0;
      out.resize(std::size_t{64} * 144);
      for (int64_t i = 0; i < 64; ++i) {
        dataset_->image(i, std::span(out).subspan(static_cast<size_t>(i) * 144, 144));
      }
      return 64;
    };
    QuantTable table =
        solve(graph, placement, calibrate(graph, placement, next, {.observer = "minmax"}));
    return {std::move(graph), std::move(placement), std::move(table)};
  }

  TempFolder folder_;
  std::unique_ptr<Dataset> dataset_;
  std::vector<int64_t> train_;
  std::vector<int64_t> validation_;
};

/// The bytes of all float constants, one after the other.
inline std::vector<std::byte> weights_of(const Graph& graph) {
  std::vector<std::byte> bytes;
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const auto& constant = graph.value(static_cast<ValueId>(i)).constant;
    if (constant && constant->dtype == DType::Float32) bytes.append_range(constant->bytes);
  }
  return bytes;
}

}  // namespace octet::test
