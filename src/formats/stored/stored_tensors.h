#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/quant_table.h"
#include "graph/tensor.h"

namespace octet {

/// How a constant of a file lies, against the graph.
enum class StoredLayout : uint8_t {
  Graph,    ///< as in the graph
  Matrix,   ///< [out, in]; the graph may have it as [in, out]
  Operand,  ///< perhaps with dimensions of one in front, perhaps with the channels last
};

/// What a quantized file stores about one of the network's values. Unsigned activations are moved
/// by 128: their grid, constants and tables are the signed ones that mean the same.
struct StoredTensor {
  std::string name;          ///< the value's: without what formats append ("/quantized")
  DType type = DType::Int8;  ///< in the file; Float32 for constants that are not quantized
  std::vector<float> scale;  ///< empty: not quantized, or the file does not say
  std::vector<int32_t> zero_point;
  int axis = -1;                   ///< of several scales, in the layout of `constant`
  std::optional<Tensor> constant;  ///< integers, or reals of type Float32
  StoredLayout layout = StoredLayout::Graph;
  std::vector<int32_t> table;        ///< what it is looked up in; empty: computed otherwise
  std::string made_by;               ///< operator of the file; empty for constants
  std::vector<std::string> read_by;  ///< operators of the file, in order

  bool quantized() const { return type != DType::Float32; }
};

/// The quantized tensors of a file, in its order, and the constants that stayed in float.
struct StoredFile {
  std::filesystem::path path;
  std::string format;  ///< "ONNX" or "TFLite"
  /// What the file says of itself, by key ("octet.targets"): ONNX's metadata_props; in TFLite the
  /// lines "KEY=TEXT" of the metadata entry "octet", one for each line of a text.
  std::map<std::string, std::string> properties;
  std::vector<StoredTensor> tensors;

  const StoredTensor* find(std::string_view name) const;
};

/// Reads an INT8 file in QDQ form: what DequantizeLinear and QuantizeLinear say, and constants.
/// Throws Code::Model in one line that names the file and the tensor: not ONNX, truncated; scales
/// that are computed, zero, negative or not finite; zero points of another type than the integers,
/// or not as many as scales; nothing quantized.
StoredFile read_stored_onnx(const std::filesystem::path& path);

/// Reads an INT8 TFLite file, and what it holds of real constants. Weights are turned back to
/// ONNX's order by the operator that reads them. Throws Code::Model as above; also for zero points
/// outside the type.
StoredFile read_stored_tflite(const std::filesystem::path& path);

/// By the file's extension. Throws Code::Usage for others than .onnx and .tflite.
StoredFile read_stored(const std::filesystem::path& path);

/// Every tensor of `shape` that a constant may stand for, by its layout; none when it cannot have
/// that shape. The axis of its scales, where it has several, moves along.
struct LaidOut {
  Tensor constant;
  int axis = -1;
};
std::vector<LaidOut> laid_out(const StoredTensor& tensor, std::span<const int64_t> shape);

/// Why a file of another format need not have this tensor: the format's own way to say the same
/// network. Empty: it must.
std::string reason_of_format(const StoredTensor& tensor, std::string_view format);

// --- For readers of formats ----------------------------------------------------------------------

/// Throws Code::Model naming the file and the tensor unless every scale is a positive finite
/// number and every zero point lies within the type.
void check_grid(const StoredTensor& tensor, std::span<const int64_t> zero_points,
                const std::filesystem::path& path);

/// Unsigned to signed: everything moved by 128.
void make_signed(StoredTensor& tensor);

}  // namespace octet
