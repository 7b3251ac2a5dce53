#include <ATen/core/Tensor.h>
#include <ATen/ops/batch_norm.h>

#include "base/fail.h"
#include "ops/families.h"

namespace octet {
namespace {

std::vector<at::Tensor> run_batch_normalization(const OpCall& call) {
  if (call.node.integer("training_mode", 0) != 0) {
    fail(Code::Unsupported, "{}: training_mode is set; export the network in evaluation mode",
         describe(call.node));
  }
  // ONNX keeps `momentum` of the old statistics; ATen takes the share of the new ones.
  const double momentum = 1.0 - static_cast<double>(call.node.number("momentum", 0.9F));
  const double epsilon = call.node.number("epsilon", 1e-5F);
  return {at::batch_norm(call.in(0), call.in(1), call.in(2), call.in(3), call.in(4), call.training,
                         momentum, epsilon, false)};
}

}  // namespace

std::vector<OpDef> norm_ops() {
  return {{
      .name = "BatchNormalization",
      .attributes = {{"epsilon", "momentum", "training_mode"}},
      .data_inputs = 1,
      .run = run_batch_normalization,
      .quant = FloatOnly{"it follows no convolution that it could be folded into"},
      .statistics = Statistics{3, 4},
  }};
}

}  // namespace octet
