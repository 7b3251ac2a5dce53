#include <ATen/core/Tensor.h>
#include <ATen/ops/mean.h>

#include "base/fail.h"
#include "ops/families.h"

namespace octet {
namespace {

std::vector<at::Tensor> run_reduce_mean(const OpCall& call) {
  const bool keep = call.node.integer("keepdims", 1) != 0;
  std::vector<int64_t> axes;
  if (call.has(1)) {
    const at::Tensor& given = call.in(1);
    axes.assign(given.data_ptr<int64_t>(), given.data_ptr<int64_t>() + given.numel());
  }
  if (axes.empty()) {
    if (call.node.integer("noop_with_empty_axes", 0) != 0) return {call.in(0)};
    for (int64_t d = 0; d < call.in(0).dim(); ++d) axes.push_back(d);
  }
  return {at::mean(call.in(0), axes, keep)};
}

}  // namespace

std::vector<OpDef> reduce_ops() {
  return {{
      .name = "ReduceMean",
      .attributes = {{"keepdims", "noop_with_empty_axes"}},
      .data_inputs = 1,
      .run = run_reduce_mean,
      .quant = Rescale{},
      .statistics = Statistics{},
  }};
}

}  // namespace octet
