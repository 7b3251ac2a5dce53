#include "graph/quantize_tensor.h"

#include <type_traits>

#include "base/fail.h"

namespace octet {
namespace {

/// Calls visit(first element, count, grid) for all elements that lie one after the other in a
/// channel, in row-major order.
template <class Visit>
void for_each_row(std::span<const int64_t> shape, const QuantParams& params, Visit visit) {
  const auto count = static_cast<size_t>(element_count(shape));
  if (params.per_tensor()) return visit(size_t{0}, count, grid_of(params, 0));
  const auto axis = static_cast<size_t>(params.axis);
  if (axis >= shape.size() || static_cast<size_t>(shape[axis]) != params.scale.size()) {
    fail(Code::Model, "{} scales along axis {} do not fit a constant of {} dimensions",
         params.scale.size(), params.axis, shape.size());
  }
  const auto inner = static_cast<size_t>(element_count(shape.subspan(axis + 1)));
  const auto channels = static_cast<size_t>(shape[axis]);
  for (size_t row = 0; row * inner < count; ++row) {
    visit(row * inner, inner, grid_of(params, row % channels));
  }
}

template <class T>
Tensor quantize_as(const Tensor& real, const QuantParams& params) {
  Tensor out(params.type, real.shape);
  const auto from = real.as<float>();
  const auto to = out.as<T>();
  for_each_row(real.shape, params, [&](size_t first, size_t count, const Grid& grid) {
    if constexpr (std::is_same_v<T, int8_t>) {
      quantize(from.subspan(first, count), grid, to.subspan(first, count));
    } else {
      for (size_t i = first; i < first + count; ++i)
        to[i] = static_cast<T>(quantize(from[i], grid));
    }
  });
  return out;
}

template <class T>
void dequantize_as(const Tensor& integers, const QuantParams& params, std::span<float> out) {
  const auto from = integers.as<T>();
  for_each_row(integers.shape, params, [&](size_t first, size_t count, const Grid& grid) {
    for (size_t i = first; i < first + count; ++i) out[i] = dequantize(from[i], grid);
  });
}

}  // namespace

Grid grid_of(const QuantParams& params, size_t channel) {
  return {params.scale.at(channel), params.zero_point.at(channel), params.low, params.high};
}

Tensor quantize(const Tensor& real, const QuantParams& params) {
  switch (params.type) {
    case DType::Int8: return quantize_as<int8_t>(real, params);
    case DType::UInt8: return quantize_as<uint8_t>(real, params);
    case DType::Int16: return quantize_as<int16_t>(real, params);
    case DType::Int32: return quantize_as<int32_t>(real, params);
    case DType::Float32: return real;
    default: fail(Code::Unsupported, "constants cannot be quantized to {}", name_of(params.type));
  }
}

Tensor dequantize(const Tensor& integers, const QuantParams& params) {
  Tensor out(DType::Float32, integers.shape);
  const auto to = out.as<float>();
  switch (integers.dtype) {
    case DType::Int8: dequantize_as<int8_t>(integers, params, to); break;
    case DType::UInt8: dequantize_as<uint8_t>(integers, params, to); break;
    case DType::Int16: dequantize_as<int16_t>(integers, params, to); break;
    case DType::Int32: dequantize_as<int32_t>(integers, params, to); break;
    default: fail(Code::Unsupported, "{} cannot be dequantized", name_of(integers.dtype));
  }
  return out;
}

}  // namespace octet
