#include "quant/analytic_bias.h"

#include "base/fail.h"
#include "engine/executor.h"
#include "graph/quantize_tensor.h"
#include "quant/added_bias.h"
#include "quant/solve.h"
#include "quant/stretches.h"

namespace octet {
namespace {

/// The mean of each output channel of a convolution with this weight [O, I / groups, ...] (if
/// `transposed`, [I, O / groups, ...]) of images whose channels have these means.
at::Tensor convolved(const Node& node, const at::Tensor& weight, const at::Tensor& mean,
                     bool transposed) {
  const int64_t groups = node.integer("group", 1);
  const at::Tensor taps = weight.flatten(2).sum(2);
  const at::Tensor by_group = taps.view({groups, taps.size(0) / groups, taps.size(1)});
  if (!transposed) return (by_group * mean.view({groups, 1, -1})).sum(2).flatten();
  int64_t places = 1;  // that a step of the window makes: each is reached by a part of the taps
  for (const int64_t stride : node.integers("strides")) places *= stride;
  return (by_group * mean.view({groups, -1, 1})).sum(1).flatten() / static_cast<double>(places);
}

at::Tensor multiplied(const Node& node, const at::Tensor& weight, const at::Tensor& mean) {
  const bool rows = node.integer("transB", 0) != 0;
  return node.number("alpha", 1) * (rows ? weight : weight.t()).mv(mean);
}

at::Tensor mean_of_result(const Node& node, const at::Tensor& weight, const at::Tensor& mean) {
  if (node.op == "Gemm") return multiplied(node, weight, mean);
  return convolved(node, weight, mean, node.op == "ConvTranspose");
}

}  // namespace

AnalyticCorrection correct_biases_by_means(const Graph& reference, Graph& graph,
                                           Placement& placement, QuantTable& table,
                                           const ChannelMeans& means) {
  AnalyticCorrection done;
  for (const NodeId id : graph.order()) {
    const ValueId weight = weight_of(graph, id, placement);
    if (weight == kAbsent) continue;
    const Node& node = graph.node(id);
    if (!takes_bias(node) || node.integer("transA", 0) != 0) {
      done.without.push_back(describe(node));
      continue;
    }
    const auto mean = means.find(node.inputs[0]);
    if (mean == means.end() || mean->second.count == 0) {
      fail(Code::Data, "analytic-bias-correction: {}: calibration has no means of '{}' by channel",
           describe(node), graph.value(node.inputs[0]).name);
    }
    const at::Tensor real = to_torch(*reference.value(weight).constant).to(at::kDouble);
    const QuantParams& grid = table.at(weight, graph);
    const Tensor rounded = dequantize(quantize(*graph.value(weight).constant, grid), grid);
    const at::Tensor added = to_torch(rounded).to(at::kDouble) - real;
    take_from_bias(graph, placement, id, mean_of_result(node, added, mean->second.mean()));
    ++done.layers;
  }
  solve_constants(graph, placement, table);
  return done;
}

}  // namespace octet
