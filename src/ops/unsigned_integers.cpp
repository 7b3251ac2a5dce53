#include "ops/unsigned_integers.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/broadcast_tensors.h>
#include <ATen/ops/empty.h>

#include <limits>

namespace octet {
namespace {

constexpr int64_t kSignBit = std::numeric_limits<int64_t>::min();

}  // namespace

at::Tensor widened(const at::Tensor& x) {
  switch (x.scalar_type()) {
    case at::kUInt16:
    case at::kUInt32:
    case at::kUInt64: return x.to(at::kLong);
    default: return x;
  }
}

at::Tensor ordered(const at::Tensor& x) {
  return x.scalar_type() == at::kUInt64 ? widened(x) ^ kSignBit : widened(x);
}

at::Tensor from_ordered(const at::Tensor& x, at::ScalarType type) {
  return (type == at::kUInt64 ? x ^ kSignBit : x).to(type);
}

at::Tensor each_uint64(const at::Tensor& a, const at::Tensor& b,
                       uint64_t (*function)(uint64_t, uint64_t)) {
  const std::vector<at::Tensor> both = at::broadcast_tensors({a, b});
  const at::Tensor left = both[0].contiguous();
  const at::Tensor right = both[1].contiguous();
  at::Tensor out = at::empty(left.sizes(), left.options());
  const auto* x = left.const_data_ptr<uint64_t>();
  const auto* y = right.const_data_ptr<uint64_t>();
  auto* results = out.mutable_data_ptr<uint64_t>();
  for (int64_t i = 0; i < out.numel(); ++i) results[i] = function(x[i], y[i]);
  return out;
}

}  // namespace octet
