#include "quant/exact_reals.h"

#include <cmath>

#include "graph/quantize_tensor.h"
#include "ops/op_def.h"

namespace octet {

std::optional<float> exact_real(int32_t integer, const Grid& grid) {
  // Product and quotient are each rounded: for large integers a neighbour comes back.
  constexpr int kNeighbours = 4;
  float below = static_cast<float>(static_cast<double>(grid.scale) *
                                   (static_cast<double>(integer) - grid.zero_point));
  float above = below;
  for (int i = 0; i <= kNeighbours; ++i) {
    if (quantize(below, grid) == integer) return below;
    if (quantize(above, grid) == integer) return above;
    below = std::nextafter(below, -kInfinity);
    above = std::nextafter(above, kInfinity);
  }
  return std::nullopt;
}

namespace {

template <class T>
bool make_exact(const Tensor& integers, const QuantParams& params, Tensor& reals) {
  const auto from = integers.as<T>();
  const auto to = reals.as<float>();
  const auto axis = static_cast<size_t>(params.per_tensor() ? 0 : params.axis);
  const std::span<const int64_t> shape = integers.shape;
  const size_t inner =
      params.per_tensor() ? 1 : static_cast<size_t>(element_count(shape.subspan(axis + 1)));
  for (size_t i = 0; i < from.size(); ++i) {
    const size_t channel = i / inner % params.scale.size();
    const auto real = exact_real(from[i], grid_of(params, params.per_tensor() ? 0 : channel));
    if (!real) return false;
    to[i] = *real;
  }
  return true;
}

}  // namespace

std::optional<Tensor> exact_reals(const Tensor& integers, const QuantParams& params) {
  Tensor reals = dequantize(integers, params);  // also checks that the scales fit
  const auto made = [&] {
    switch (integers.dtype) {
      case DType::Int8: return make_exact<int8_t>(integers, params, reals);
      case DType::Int16: return make_exact<int16_t>(integers, params, reals);
      default: return make_exact<int32_t>(integers, params, reals);
    }
  };
  return made() ? std::optional(std::move(reals)) : std::nullopt;
}

}  // namespace octet
