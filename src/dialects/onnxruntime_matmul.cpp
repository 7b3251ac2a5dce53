// QLinearConv, QGemm, QLinearMatMul: exact 32-bit sums, then one multiplier in float per channel.

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>

#include "dialects/onnxruntime.h"

namespace octet::onnxruntime {
namespace {

/// input scale x weight scale / output scale, each step in float, per channel (or one for all).
at::Tensor multipliers(const IntegerCall& call, float alpha) {
  std::vector<float> held;
  for (const float scale : call.grids[1]->scale) {
    held.push_back(alpha * call.grids[0]->scale[0] * scale / call.out.scale[0]);
  }
  return at::tensor(held);
}

}  // namespace

at::Tensor rescaled_conv(const IntegerCall& call, at::Tensor sums) {
  std::vector<int64_t> per_channel(static_cast<size_t>(sums.dim()), 1);
  per_channel[1] = -1;
  if (call.has(2)) sums.add_(call.in(2).view(per_channel));
  return requantized(sums, multipliers(call, 1).view(per_channel), call);
}

at::Tensor rescaled_gemm(const IntegerCall& call, at::Tensor sums) {
  if (call.has(2)) sums.add_(call.in(2));
  return requantized(sums, multipliers(call, call.node.number("alpha", 1)), call);
}

at::Tensor rescaled_matmul(const IntegerCall& call, const at::Tensor& sums) {
  return requantized(sums, multipliers(call, 1), call);
}

namespace {

at::Tensor exact_sums(const IntegerCall& call) {
  return sums_of_products(call.node, centred(call, 0), centred(call, 1));
}

}  // namespace

at::Tensor conv(const IntegerCall& call) { return rescaled_conv(call, exact_sums(call)); }
at::Tensor gemm(const IntegerCall& call) { return rescaled_gemm(call, exact_sums(call)); }
at::Tensor matmul(const IntegerCall& call) { return rescaled_matmul(call, exact_sums(call)); }

}  // namespace octet::onnxruntime
