// QLinearConcat.

#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>

#include "dialects/onnxruntime.h"

namespace octet::onnxruntime {

at::Tensor concat(const IntegerCall& call) {
  std::vector<at::Tensor> parts;
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    const QuantParams& grid = *call.grids[i];
    parts.push_back(looked_up(call.in(i), grid, tabulated(call, grid, [](float x) { return x; })));
  }
  return at::cat(parts, call.node.integer("axis", 0));
}

}  // namespace octet::onnxruntime
