#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <string_view>
#include <utility>

#include "graph/graph.h"
#include "graph/quant_table.h"

namespace octet {

/// One integer operator, together with the activation that it takes in.
struct IntegerCall {
  const Graph& graph;
  const Node& node;
  /// int32 tensors of integers where the input is quantized (image tensors logically NCHW); as they
  /// are where it is not (shapes, axes); undefined where it is absent.
  std::span<const at::Tensor> inputs;
  std::span<const QuantParams* const> grids;  ///< of the inputs; nullptr: not quantized
  const QuantParams& out;                     ///< of the result
  std::pair<float, float> bounds;             ///< of the activation; infinite where there is none

  const at::Tensor& in(size_t index) const;
  bool has(size_t index) const { return in(index).defined(); }
};

/// The integers of the result (int32 tensor) that the runtime computes.
using IntegerFn = at::Tensor (*)(const IntegerCall&);

struct DialectRow {
  std::string_view op;  ///< ONNX operator name
  IntegerFn compute;
};

/// The arithmetic of one runtime: its rounding, and what each of its integer kernels computes, bit
/// for bit. Operators without a row only move integers, or are tables (see quant/lookup.h), or are
/// not integer there.
struct Dialect {
  std::string_view name;
  /// Real numbers to int32 integers on the grid, as the runtime's quantize operator does it.
  at::Tensor (*quantize)(const at::Tensor& real, const QuantParams& grid);
  std::span<const DialectRow> rows;
  std::span<const DialectRow> wide_rows = {};  ///< of results of 16 bits

  IntegerFn find(std::string_view op, DType result = DType::Int8) const;  ///< nullptr: no row
};

/// ONNX Runtime 1.23, CPU provider: MLAS kernels, multipliers in float, rounds half to even.
const Dialect& onnxruntime_dialect();
/// The same on x86 processors with AVX2 or AVX-512 but without VNNI, whose products of uint8 by
/// int8 saturate in pairs (dialects/pair_order.h).
const Dialect& onnxruntime_avx2_dialect();
/// TFLite 2.14 as its default resolver runs it: convolutions and fully connected by ruy (one
/// rounding, half up), the rest in fixed point; 16-bit activations with 8-bit weights by kernels of
/// their own.
const Dialect& tflite_dialect();
/// TFLite 2.14 with its reference kernels (two roundings in convolutions). Those of 16 bits are the
/// same, but for QUANTIZE of real numbers, and LOGISTIC and TANH of inputs whose scale is (nearly)
/// 2^-12, or of TANH 2^-11.
const Dialect& tflite_reference_dialect();

/// Exact 32-bit sums of products of the node's operator (Conv, ConvTranspose, Gemm, MatMul) without
/// its bias: `x` and `w` are int32 tensors, zero points already subtracted.
at::Tensor sums_of_products(const Node& node, const at::Tensor& x, const at::Tensor& w);
/// The same in 64 bits (int64 tensor): exact while they stay below 2^53.
at::Tensor wide_sums_of_products(const Node& node, const at::Tensor& x, const at::Tensor& w);

}  // namespace octet
