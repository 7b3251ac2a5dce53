#pragma once

#include <functional>
#include <span>
#include <vector>

#include "dialects/dialect.h"

/// What the operators of ONNX Runtime's dialect share, and their functions.
namespace octet::onnxruntime {

/// A grid as our ONNX files hold it: activations are moved by 128 into uint8 (formats/onnx). The
/// move cancels in differences to the zero point, but not where a kernel adds the zero point, or
/// multiplies it, in float.
struct StoredGrid {
  float scale;
  int32_t zero_point;
  int32_t low;
  int32_t high;
  int32_t moved;  ///< stored integer = our integer + moved
};
/// Per tensor. Throws Code::Unsupported naming the node for a grid per channel.
StoredGrid stored(const IntegerCall& call, const QuantParams& params);
StoredGrid stored_input(const IntegerCall& call, size_t index);

/// Smallest and largest integer (ours) of the result: its grid, cut to the bounds of the
/// activation. Rounding is monotone: cut before or after it is the same.
std::pair<int32_t, int32_t> range_of(const IntegerCall& call);

/// The integers less their zero point (one per tensor, or per channel of a weight).
at::Tensor centred(const IntegerCall& call, size_t index);

/// Integers of real / scale: MLAS's requantization of `sums` x `multiplier` (float tensor that
/// broadcasts): one product in float, saturated, rounded half to even, then the zero point.
at::Tensor requantized(const at::Tensor& sums, const at::Tensor& multiplier,
                       const IntegerCall& call);

/// Float to int32, half to even, as x86 does it: all that does not fit becomes the smallest
/// integer.
int32_t to_integer(float real);

using RealFn = std::function<float(float)>;
/// The entry of each integer from `in.low` to `in.high`: its real number through `function`, onto
/// the grid of the result, within its range. What QlinearBuildLookupTable makes in ONNX Runtime,
/// and what DequantizeLinear -> operator -> QuantizeLinear computes.
std::vector<int32_t> tabulated(const IntegerCall& call, const QuantParams& in,
                               const RealFn& function);
/// Every integer replaced by its entry.
at::Tensor looked_up(const at::Tensor& integers, const QuantParams& in,
                     std::span<const int32_t> entries);

/// From sums of products (taken over) to the integers of the result.
at::Tensor rescaled_conv(const IntegerCall& call, at::Tensor sums);
at::Tensor rescaled_gemm(const IntegerCall& call, at::Tensor sums);
at::Tensor rescaled_matmul(const IntegerCall& call, const at::Tensor& sums);

at::Tensor conv(const IntegerCall& call);
at::Tensor gemm(const IntegerCall& call);
at::Tensor matmul(const IntegerCall& call);
/// The same on processors without VNNI.
at::Tensor conv_in_pairs(const IntegerCall& call);
at::Tensor gemm_in_pairs(const IntegerCall& call);
at::Tensor matmul_in_pairs(const IntegerCall& call);
at::Tensor add(const IntegerCall& call);
at::Tensor mul(const IntegerCall& call);
at::Tensor where(const IntegerCall& call);
at::Tensor concat(const IntegerCall& call);
at::Tensor clipped(const IntegerCall& call);
at::Tensor moved(const IntegerCall& call);
at::Tensor sigmoid(const IntegerCall& call);
at::Tensor leaky_relu(const IntegerCall& call);
at::Tensor softmax(const IntegerCall& call);
at::Tensor average_pool(const IntegerCall& call);
at::Tensor global_average_pool(const IntegerCall& call);
at::Tensor resize(const IntegerCall& call);

}  // namespace octet::onnxruntime
