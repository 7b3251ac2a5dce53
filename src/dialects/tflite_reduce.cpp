#include <ATen/TensorOperators.h>
#include <ATen/ops/sum.h>

#include <bit>

#include "dialects/tflite_kernels.h"

// MEAN and SUM.
namespace octet::lite_integers {
namespace {

/// What is summed up to one element of the result.
struct Reduction {
  std::vector<int64_t> axes;
  bool keep = true;
  int64_t count = 1;
  at::Tensor sums;  ///< of the integers as they are
};

Reduction reduction_of(const IntegerCall& call) {
  const at::Tensor& x = call.in(0);
  Reduction made{.axes = {}, .keep = call.node.integer("keepdims", 1) != 0, .sums = {}};
  if (call.node.op == "GlobalAveragePool") made.axes = {2, 3};
  if (call.has(1)) {
    const at::Tensor given = call.in(1).to(at::kLong).contiguous();
    for (int64_t i = 0; i < given.numel(); ++i) {
      const int64_t axis = given.const_data_ptr<int64_t>()[i];
      made.axes.push_back(axis < 0 ? axis + x.dim() : axis);
    }
  }
  if (made.axes.empty()) {
    for (int64_t d = 0; d < x.dim(); ++d) made.axes.push_back(d);
  }
  for (const int64_t axis : made.axes) made.count *= x.size(axis);
  std::ranges::sort(made.axes);
  made.sums = at::sum(x, made.axes, made.keep, at::kInt);
  return made;
}

/// The kernel for rows and columns of an image: everything constant in one float offset.
at::Tensor mean_of_image(const IntegerCall& call, const Reduction& reduction) {
  const QuantParams& x = grid_of_input(call, 0);
  const float in = x.scale[0];
  const float out = call.out.scale[0];
  float shift = static_cast<float>(x.zero_point[0]) * in / out;
  shift = shift > 0 ? shift + 0.5F : shift - 0.5F;
  const int32_t bias = call.out.zero_point[0] - truncated(shift);
  const Multiplier by =
      multiplier_of(static_cast<double>(in / (static_cast<float>(reduction.count) * out)));
  return each(reduction.sums, [&](int32_t sum) {
    return std::clamp(wrapping_add(scaled(sum, by), bias), -128, 127);
  });
}

/// QuantizedMeanOrSum of the reference kernels, which both sets use for other axes: the mean's
/// division goes into the multiplier.
at::Tensor mean_in_fixed_point(const IntegerCall& call, const Reduction& reduction) {
  const QuantParams& x = grid_of_input(call, 0);
  Multiplier by = regrid_multiplier(x, call.out);
  int shift = static_cast<int>(std::bit_width(static_cast<uint64_t>(reduction.count))) - 1;
  shift = std::min({shift, 32, 31 + by.exponent});
  by.mantissa = static_cast<int32_t>((int64_t{by.mantissa} << shift) / reduction.count);
  by.exponent -= shift;
  const int64_t zeros = x.zero_point[0] * reduction.count;
  const Limits limits = limits_of(call.out.type);
  return each(reduction.sums, [&](int32_t sum) {
    const int32_t y = scaled(static_cast<int32_t>(sum - zeros), by);
    return std::clamp(wrapping_add(y, call.out.zero_point[0]), limits.low, limits.high);
  });
}

/// QuantizedMeanOrSum of the optimized kernels, in float.
at::Tensor reduce_sum(const IntegerCall& call) {
  const Reduction reduction = reduction_of(call);
  const QuantParams& x = grid_of_input(call, 0);
  const float scale = x.scale[0] / call.out.scale[0];
  const float bias =
      static_cast<float>(-x.zero_point[0]) * scale * static_cast<float>(reduction.count);
  return each(reduction.sums, [&](int32_t sum) {
    const int32_t steps = truncated(std::round(static_cast<float>(sum) * scale + bias));
    return std::clamp(wrapping_add(steps, call.out.zero_point[0]), -128, 127);
  });
}

template <Kernels kKernels>
at::Tensor mean(const IntegerCall& call) {
  const Reduction reduction = reduction_of(call);
  // Image tensors lie channels-last in files: their rows and columns are TFLite's axes 1 and 2.
  const bool image =
      call.in(0).dim() == 4 && reduction.keep && reduction.axes == std::vector<int64_t>{2, 3};
  if (image && kKernels == Kernels::Optimized) return mean_of_image(call, reduction);
  return mean_in_fixed_point(call, reduction);
}

constexpr std::array kOptimizedReductions{
    DialectRow{"GlobalAveragePool", mean<Kernels::Optimized>},
    DialectRow{"ReduceMean", mean<Kernels::Optimized>},
    DialectRow{"ReduceSum", reduce_sum},
};
constexpr std::array kReferenceReductions{
    DialectRow{"GlobalAveragePool", mean<Kernels::Reference>},
    DialectRow{"ReduceMean", mean<Kernels::Reference>},
};

}  // namespace

std::span<const DialectRow> reduce_rows(Kernels kernels) {
  return kernels == Kernels::Optimized ? std::span<const DialectRow>(kOptimizedReductions)
                                       : kReferenceReductions;
}

}  // namespace octet::lite_integers
