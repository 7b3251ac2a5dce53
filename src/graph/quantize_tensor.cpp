#include "graph/quantize_tensor.h"

#include "base/fail.h"

namespace octet {
namespace {

/// Calls visit(element, channel) for every element in row-major order.
template <class Visit>
void for_each_channel(std::span<const int64_t> shape, const QuantParams& params, Visit visit) {
  const auto count = static_cast<size_t>(element_count(shape));
  if (params.per_tensor()) {
    for (size_t i = 0; i < count; ++i) visit(i, size_t{0});
    return;
  }
  const auto axis = static_cast<size_t>(params.axis);
  if (axis >= shape.size() || static_cast<size_t>(shape[axis]) != params.scale.size()) {
    fail(Code::Model, "{} scales along axis {} do not fit a constant of {} dimensions",
         params.scale.size(), params.axis, shape.size());
  }
  const auto inner = static_cast<size_t>(element_count(shape.subspan(axis + 1)));
  const auto channels = static_cast<size_t>(shape[axis]);
  for (size_t i = 0; i < count; ++i) visit(i, i / inner % channels);
}

template <class T>
Tensor quantize_as(const Tensor& real, const QuantParams& params) {
  Tensor out(params.type, real.shape);
  const auto from = real.as<float>();
  const auto to = out.as<T>();
  for_each_channel(real.shape, params, [&](size_t i, size_t channel) {
    to[i] = static_cast<T>(quantize(from[i], grid_of(params, channel)));
  });
  return out;
}

template <class T>
void dequantize_as(const Tensor& integers, const QuantParams& params, std::span<float> out) {
  const auto from = integers.as<T>();
  for_each_channel(integers.shape, params, [&](size_t i, size_t channel) {
    out[i] = dequantize(from[i], grid_of(params, channel));
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
