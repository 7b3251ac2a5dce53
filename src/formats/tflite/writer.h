#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "formats/file_form.h"
#include "formats/held_value.h"
#include "formats/properties.h"
#include "graph/graph.h"
#include "graph/quant_table.h"

namespace octet {

/// The bytes of a TFLite file (schema v3) of the network at batch 1, integer from end to end: float
/// NHWC image in, QUANTIZE, int8 operators (int16 where the table says so, with int64 biases),
/// DEQUANTIZE, float logits out; or integers at the ends (int8 as they are, uint8 through one
/// QUANTIZE each). Nodes that the table puts in float are float32 operators between DEQUANTIZE and
/// QUANTIZE. Integers, scales and zero points are the table's, unchanged; only layout (NCHW
/// to NHWC), names and encoding are the format's. Follows the TFLite 8-bit quantization
/// specification. A value without an entry in the table that stands between an operator and its
/// activation becomes the operator's fused activation. Throws Code::Unsupported naming the node
/// that TFLite cannot say, and why.
std::vector<std::byte> write_tflite(const Graph& graph, const QuantTable& table,
                                    const FileForm& form = {});

/// The computed values whose integers that file holds. Others are read in place: what merely
/// changes a shape has the tensor of its source.
std::vector<HeldValue> held_by_tflite(const Graph& graph, const QuantTable& table,
                                      const FileForm& form = {});

/// The bytes of a TFLite file of float activations, whose weights are integers where the table has
/// an entry for them (TFLite's hybrid kernels quantize their input at run time; weights that have
/// no such kernel are made real when the file is loaded). Errors as above.
std::vector<std::byte> write_dynamic_tflite(const Graph& graph, const QuantTable& table,
                                            const FileForm& form = {});

/// These files can compute the operator on real numbers.
bool writes_real_tflite(std::string_view op);

}  // namespace octet
