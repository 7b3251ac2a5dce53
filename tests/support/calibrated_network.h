#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engine/executor.h"
#include "networks/architectures.h"
#include "passes/passes.h"
#include "quant/calibrate.h"
#include "quant/place.h"
#include "quant/solve.h"
#include "support/graph_builder.h"

namespace octet::test {

/// A network with random weights, lowered for ONNX Runtime and TFLite and calibrated on four random
/// images of 3x16x16.
struct CalibratedNetwork {
  Graph graph;
  Placement placement;
  QuantTable table;
  Tensor data = random_tensor({4, 3, 16, 16}, 11, -2, 2);

  explicit CalibratedNetwork(const std::string& architecture, const Scheme& scheme = {})
      : graph(make_network(architecture, {{3, 16, 16}, 10, 0.5}, 2)) {
    const std::vector<std::string> names{"onnxruntime-cpu", "tflite"};
    const TargetSet targets(names);
    simplify(graph);
    lower(graph, [&](std::string_view op) { return targets.supports(op); });
    placement = place(graph, targets, scheme);
    bool given = false;
    const auto next = [&](std::vector<float>& out) -> int64_t {
      if (std::exchange(given, true)) return 0;
      out.assign(data.as<float>().begin(), data.as<float>().end());
      return 4;
    };
    table = solve(graph, placement, calibrate(graph, placement, next, {.observer = "minmax"}));
  }
  at::Tensor input() const { return to_torch(data); }
};

}  // namespace octet::test
