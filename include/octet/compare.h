#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace octet {

/// A tensor that two INT8 files store differently.
struct Difference {
  std::string tensor;  ///< name of the network's value
  std::string what;    ///< "scale", "zero point", "integers", "table", "type", "shape"
  std::string a;       ///< in the first file
  std::string b;       ///< in the second
};

/// A tensor, or a value's table, that only one of two INT8 files has.
struct OneSided {
  std::string tensor;
  std::string what;    ///< "tensor" or "table"
  std::string path;    ///< of the file that has it
  std::string reason;  ///< the format's rule that asks for it; empty: none does
};

/// What two INT8 files store of one network. Activations in uint8 are compared as the int8 that
/// means the same (128 less); constants in the order of ONNX.
struct Comparison {
  int64_t values = 0;     ///< computed tensors with equal scale and zero point
  int64_t constants = 0;  ///< weights, biases and others with equal integers, scales, zero points
  int64_t tables = 0;     ///< of pointwise functions, with equal entries
  std::vector<Difference> differences;
  std::vector<OneSided> one_sided;

  /// No difference, and nothing on one side alone without a reason.
  bool equal() const;
};

/// Compares what two INT8 files (.onnx in QDQ form, .tflite) store, tensor by tensor, by name.
/// Nothing is run. Throws Code::Usage for other extensions and Code::Model, naming the tensor, for
/// files that are damaged: scales that are not positive and finite, or not constant; zero points
/// outside their type.
Comparison compare(const std::filesystem::path& a, const std::filesystem::path& b);

/// The comparison as a JSON object.
std::string to_json(const Comparison& comparison);

}  // namespace octet
