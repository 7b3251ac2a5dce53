#pragma once

#include "formats/properties.h"
#include "graph/io.h"
#include "graph/quant_table.h"

namespace octet {

/// How an INT8 ONNX file says that an operator computes in integers; ONNX Runtime computes both to
/// the same bits.
enum class OnnxForm : uint8_t {
  Qdq,        ///< QuantizeLinear and DequantizeLinear around operators of ONNX
  QOperator,  ///< ONNX Runtime's own operators (QLinearConv, QLinearAdd, ...) where it has one
};

/// How a quantized network is written, where a format leaves a choice. The integers inside are the
/// table's in every form.
struct FileForm {
  Io io = Io::Float;
  /// ONNX: activations are stored as uint8, moved by 128. ONNX Runtime on x86 has fast kernels for
  /// uint8 x int8 only.
  bool unsigned_activations = true;
  OnnxForm onnx = OnnxForm::Qdq;
  Properties properties = {};  ///< go into the file's metadata
};

/// The same grid in uint8: everything moved by 128. Narrow and wider integers stay.
inline QuantParams moved_to_unsigned(QuantParams params) {
  if (params.type != DType::Int8 || params.low != -128) return params;
  params.type = DType::UInt8;
  params.low += 128;
  params.high += 128;
  for (int32_t& zero_point : params.zero_point) zero_point += 128;
  return params;
}

/// The grid of an end of the file, as it is stored there. Not for Io::Float.
inline QuantParams end_grid(const QuantParams& params, Io io) {
  return io == Io::UInt8 ? moved_to_unsigned(params) : params;
}

}  // namespace octet
