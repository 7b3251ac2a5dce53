#include "api/foreign.h"

#include <ATen/core/Tensor.h>

#include "base/fail.h"
#include "engine/executor.h"
#include "ops/foreign.h"
#include "runtime/node.h"

namespace octet {
namespace {

std::vector<at::Tensor> run_in_onnxruntime(const OpCall& call) {
  std::vector<Tensor> inputs;
  for (const at::Tensor& input : call.inputs) {
    inputs.push_back(input.defined() ? from_torch(input) : Tensor(DType::Float32, {0}));
  }
  std::vector<at::Tensor> outputs;
  for (const Tensor& output : run_node(call.node, inputs)) outputs.push_back(to_torch(output));
  return outputs;
}

}  // namespace

void run_foreign_nodes() { set_foreign(run_in_onnxruntime); }

void require_gradients(const Graph& graph) {
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    if (!is_foreign(node)) continue;
    fail(Code::Unsupported,
         "{}: octet has no kernel of it, so it cannot be trained through; quantize without QAT "
         "(epochs: 0, or 'octet quantize')",
         describe(node));
  }
}

}  // namespace octet
