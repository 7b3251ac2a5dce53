#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>

#include <array>
#include <span>
#include <vector>

#include "dialects/dialect.h"
#include "dialects/tflite_fixed_point.h"

/// What the two dialects of TFLite share.
namespace octet::lite_integers {

/// Which of TFLite's kernels compute: one of its two sets on 8 bits, or those of 16-bit
/// activations, which both sets share.
enum class Kernels : uint8_t { Optimized, Reference, Wide };

/// The smallest and the largest integer of the result: its grid's, or those of the activation that
/// TFLite fuses. Other bounds are saturation of the grid (formats/tflite/lower.h).
struct Limits {
  int32_t low = -128;
  int32_t high = 127;
};
Limits limits_of(const IntegerCall& call);
/// Those of the type of a result alone.
Limits limits_of(DType type);

const QuantParams& grid_of_input(const IntegerCall& call, size_t index);

/// A function of one int8, as its 256 results for -128 .. 127.
using Int8Table = std::array<int32_t, 256>;
template <class Function>
Int8Table table_of(Function function) {
  Int8Table table{};
  for (int32_t i = 0; i < 256; ++i) table[static_cast<size_t>(i)] = function(i - 128);
  return table;
}
/// The table's result for each element of an int32 tensor of int8 integers; layout is kept.
at::Tensor mapped(const at::Tensor& x, const Int8Table& table);

/// Element by element over an int32 tensor; layout is kept.
template <class Function>
at::Tensor each(const at::Tensor& x, Function function);
/// Element by element over two int32 tensors that broadcast.
template <class Function>
at::Tensor paired(const at::Tensor& a, const at::Tensor& b, Function function);
/// Both tensors at the shape that they broadcast to, dense and laid out alike.
std::pair<at::Tensor, at::Tensor> broadcast(const at::Tensor& a, const at::Tensor& b);

/// How the last rounding takes halves.
enum class Rounding : uint8_t { AwayFromZero, Up };

/// From sums of products to integers: bias added, times the multiplier of the channel (dimension
/// `axis`; one multiplier serves all channels), zero point added, clamped. Takes `sums` over.
struct Requantization {
  std::vector<Multiplier> multipliers;
  Rounding rounding = Rounding::AwayFromZero;
  int32_t zero_point = 0;
  Limits limits;
};
at::Tensor requantized(at::Tensor sums, int64_t axis, const at::Tensor& bias,
                       const Requantization& to);

/// The multipliers of a convolution or product of matrices: one per output channel, or one.
std::vector<Multiplier> product_multipliers(const IntegerCall& call);

/// in.scale / out.scale as QUANTIZE takes it, then to the other grid.
int32_t regridded(int32_t x, const QuantParams& from, const QuantParams& to, Multiplier by);
Multiplier regrid_multiplier(const QuantParams& from, const QuantParams& to);

std::span<const DialectRow> activation_rows(Kernels kernels);
std::span<const DialectRow> elementwise_rows(Kernels kernels);
std::span<const DialectRow> pool_rows(Kernels kernels);
std::span<const DialectRow> product_rows(Kernels kernels);
std::span<const DialectRow> reduce_rows(Kernels kernels);
std::span<const DialectRow> softmax_rows(Kernels kernels);
std::span<const DialectRow> resize_rows(Kernels kernels);
// Of 16-bit activations, where the arithmetic is another one.
std::span<const DialectRow> wide_activation_rows();
std::span<const DialectRow> wide_product_rows();
std::span<const DialectRow> wide_softmax_rows();

template <class Function>
at::Tensor each(const at::Tensor& x, Function function) {
  const at::Tensor dense = x.is_non_overlapping_and_dense() ? x : x.contiguous();
  at::Tensor out = at::empty_like(dense);
  const int32_t* from = dense.const_data_ptr<int32_t>();
  int32_t* to = out.mutable_data_ptr<int32_t>();
  for (int64_t i = 0; i < out.numel(); ++i) to[i] = function(from[i]);
  return out;
}

template <class Function>
at::Tensor paired(const at::Tensor& a, const at::Tensor& b, Function function) {
  const auto [left, right] = broadcast(a, b);
  at::Tensor out = at::empty_like(left);
  const int32_t* x = left.const_data_ptr<int32_t>();
  const int32_t* y = right.const_data_ptr<int32_t>();
  int32_t* to = out.mutable_data_ptr<int32_t>();
  for (int64_t i = 0; i < out.numel(); ++i) to[i] = function(x[i], y[i]);
  return out;
}

}  // namespace octet::lite_integers
