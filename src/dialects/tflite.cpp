#include <ATen/ops/empty_like.h>

#include "dialects/tflite_kernels.h"

namespace octet {
namespace {

using namespace lite_integers;

/// QUANTIZE: halves away from zero; the optimized kernel divides in double, the other in float.
template <class Real>
at::Tensor quantize_real(const at::Tensor& real, const QuantParams& grid) {
  const at::Tensor given = real.to(at::kFloat);
  const at::Tensor dense = given.is_non_overlapping_and_dense() ? given : given.contiguous();
  at::Tensor out = at::empty_like(dense, dense.options().dtype(at::kInt));
  const float* from = dense.const_data_ptr<float>();
  int32_t* to = out.mutable_data_ptr<int32_t>();
  const auto scale = static_cast<Real>(grid.scale[0]);
  for (int64_t i = 0; i < out.numel(); ++i) {
    const Real steps = std::round(static_cast<Real>(from[i]) / scale);
    to[i] = std::clamp(wrapping_add(truncated(steps), grid.zero_point[0]), grid.low, grid.high);
  }
  return out;
}

std::vector<DialectRow> all_rows(Kernels kernels) {
  std::vector<DialectRow> all;
  for (auto* family : {activation_rows, elementwise_rows, pool_rows, product_rows, reduce_rows,
                       softmax_rows, resize_rows}) {
    all.append_range(family(kernels));
  }
  return all;
}

std::span<const DialectRow> wide_rows() {
  static const std::vector<DialectRow> rows = all_rows(Kernels::Wide);
  return rows;
}

}  // namespace

const Dialect& tflite_dialect() {
  static const std::vector<DialectRow> rows = all_rows(Kernels::Optimized);
  static const Dialect dialect{
      .name = "tflite", .quantize = quantize_real<double>, .rows = rows, .wide_rows = wide_rows()};
  return dialect;
}

const Dialect& tflite_reference_dialect() {
  static const std::vector<DialectRow> rows = all_rows(Kernels::Reference);
  static const Dialect dialect{.name = "tflite reference",
                               .quantize = quantize_real<float>,
                               .rows = rows,
                               .wide_rows = wide_rows()};
  return dialect;
}

}  // namespace octet
