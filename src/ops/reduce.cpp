#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/log.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/prod.h>
#include <ATen/ops/sum.h>

#include <algorithm>
#include <limits>

#include "ops/families.h"
#include "ops/integer_list.h"
#include "ops/unsigned_integers.h"

namespace octet {
namespace {

/// What a reduction runs over: the axes count from 0, and there is at least one.
struct Reduction {
  at::Tensor x;
  std::vector<int64_t> axes;
  bool keep;
};

Reduction reduction_of(const OpCall& call) {
  const at::Tensor& x = call.in(0);
  Reduction reduction{x, {}, call.node.integer("keepdims", 1) != 0};
  if (call.has(1) && call.in(1).numel() > 0) {
    reduction.axes = axes_of(call.in(1), x.dim());
    return reduction;
  }
  if (call.node.integer("noop_with_empty_axes", 0) != 0 || x.dim() == 0) {
    // Over no axis at all: each number is reduced by itself, as the only one of a new axis.
    return {x.unsqueeze(-1), {x.dim()}, false};
  }
  reduction.axes = axes_of({}, x.dim());
  return reduction;
}

template <at::Tensor (*function)(const Reduction&)>
std::vector<at::Tensor> run_reduction(const OpCall& call) {
  return {function(reduction_of(call)).to(call.in(0).scalar_type())};
}

/// Whole numbers in double precision: the caller rounds the result towards zero.
at::Tensor fractional(const at::Tensor& x) { return x.is_floating_point() ? x : x.to(at::kDouble); }

at::Tensor sum_of(const at::Tensor& x, const Reduction& over) {
  return at::sum(x, over.axes, over.keep, x.scalar_type());
}

at::Tensor mean(const Reduction& r) { return at::mean(fractional(r.x), r.axes, r.keep); }
at::Tensor sum(const Reduction& r) { return sum_of(widened(r.x), r); }
at::Tensor l1(const Reduction& r) {
  const at::Tensor x = widened(r.x);
  return sum_of(r.x.scalar_type() == at::kByte ? x : x.abs(), r);
}
at::Tensor l2(const Reduction& r) {
  return at::linalg_vector_norm(fractional(r.x), 2, r.axes, r.keep);
}
at::Tensor sum_square(const Reduction& r) {
  const at::Tensor x = widened(r.x);
  return sum_of(x * x, r);
}
at::Tensor log_sum(const Reduction& r) { return at::log(sum_of(fractional(r.x), r)); }
at::Tensor log_sum_exp(const Reduction& r) {
  return at::logsumexp(fractional(r.x), r.axes, r.keep);
}

at::Tensor prod(const Reduction& r) {
  at::Tensor x = widened(r.x);
  std::vector<int64_t> axes = r.axes;
  std::ranges::sort(axes, std::greater{});  // from the back: the other axes keep their numbers
  for (const int64_t axis : axes) x = at::prod(x, axis, r.keep, x.scalar_type());
  return x;
}

template <class T>
at::Scalar end_of(bool largest) {
  return largest ? std::numeric_limits<T>::max() : std::numeric_limits<T>::lowest();
}

/// The end of the type's range: infinity where the type has one.
at::Scalar end_of(at::ScalarType type, bool largest) {
  switch (type) {
    case at::kBool: return largest;
    case at::kChar: return end_of<int8_t>(largest);
    case at::kByte: return end_of<uint8_t>(largest);
    case at::kShort: return end_of<int16_t>(largest);
    case at::kInt: return end_of<int32_t>(largest);
    case at::kLong: return end_of<int64_t>(largest);
    default:
      return largest ? std::numeric_limits<double>::infinity()
                     : -std::numeric_limits<double>::infinity();
  }
}

/// `largest`: the maximum, else the minimum. That of nothing is the other end of the type's range.
template <bool largest>
at::Tensor extreme(const Reduction& r) {
  const at::Tensor x = ordered(r.x);
  const bool nothing = std::ranges::any_of(r.axes, [&](int64_t axis) { return x.size(axis) == 0; });
  if (nothing) {
    const auto shape = sum_of(x.to(at::kDouble), r).sizes().vec();
    return from_ordered(at::full(shape, end_of(x.scalar_type(), !largest), x.options()),
                        r.x.scalar_type());
  }
  return from_ordered(largest ? at::amax(x, r.axes, r.keep) : at::amin(x, r.axes, r.keep),
                      r.x.scalar_type());
}

OpDef reduce_row(std::string_view name, RunFn run_function, QuantRule rule) {
  return {.name = name,
          .attributes = {{"keepdims", "noop_with_empty_axes"}},
          .data_inputs = 1,
          .run = run_function,
          .quant = std::move(rule),
          .statistics = Statistics{}};
}

}  // namespace

std::vector<OpDef> reduce_ops() {
  return {
      reduce_row("ReduceMean", run_reduction<mean>, Rescale{}),
      reduce_row("ReduceSum", run_reduction<sum>, Rescale{}),
      reduce_row("ReduceL1", run_reduction<l1>, Rescale{}),
      reduce_row("ReduceL2", run_reduction<l2>, Rescale{}),
      reduce_row("ReduceSumSquare", run_reduction<sum_square>, Rescale{}),
      reduce_row("ReduceProd", run_reduction<prod>, Rescale{}),
      reduce_row("ReduceLogSum", run_reduction<log_sum>, kRewritten),
      reduce_row("ReduceLogSumExp", run_reduction<log_sum_exp>, kRewritten),
      reduce_row("ReduceMax", run_reduction<extreme<true>>, Moves{}),
      reduce_row("ReduceMin", run_reduction<extreme<false>>, Moves{}),
  };
}

}  // namespace octet
