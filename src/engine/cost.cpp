#include "engine/cost.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "engine/executor.h"

namespace octet {
namespace {

/// Multiply-adds of one node, from its first two inputs and its output.
int64_t multiply_adds(const Node& node, const at::Tensor& a, const at::Tensor& b,
                      const at::Tensor& out) {
  // Each output element of a convolution reads one filter.
  if (node.op == "Conv") return out.numel() * (b.numel() / b.size(0));
  if (node.op == "MatMul") return out.numel() * a.size(-1);
  if (node.op == "Gemm") return out.numel() * (a.numel() / out.size(0));
  return 0;
}

class Counter final : public Interpretation {
 public:
  std::vector<at::Tensor> evaluate(const OpDef& op, const OpCall& call) override {
    auto results = Interpretation::evaluate(op, call);
    if (call.inputs.size() > 1 && !results.empty()) {
      total += octet::multiply_adds(call.node, call.in(0), call.in(1), results[0]);
    }
    return results;
  }
  int64_t total = 0;
};

int64_t parameters(const Graph& graph) {
  std::set<ValueId> seen;
  int64_t count = 0;
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    const Statistics& statistics = op_of(node).statistics.value;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Tensor* constant = graph.constant_input(node, i);
      if (!constant || constant->dtype != DType::Float32 || constant->shape.empty() ||
          std::ranges::contains(statistics, i) || !seen.insert(node.inputs[i]).second) {
        continue;
      }
      count += element_count(constant->shape);
    }
  }
  return count;
}

}  // namespace

Cost cost_of(const Graph& graph) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> image;
  for (const ValueId id : graph.inputs()) {
    Shape shape = graph.value(id).shape;
    if (!shape.empty() && shape[0] < 0) shape[0] = 1;
    image.push_back(at::zeros(shape));
  }
  Counter counter;
  Executor(graph).run(image, counter);
  return {.parameters = parameters(graph), .multiply_adds = counter.total};
}

int64_t largest_activation(const Graph& graph) {
  int64_t largest = 0;
  for (const NodeId id : graph.order()) {
    for (const ValueId out : graph.node(id).outputs) {
      if (out == kAbsent) continue;
      int64_t elements = 1;
      for (const int64_t extent : graph.value(out).shape) elements *= std::abs(extent);  // -1: open
      largest = std::max(largest, elements);
    }
  }
  return largest;
}

}  // namespace octet
