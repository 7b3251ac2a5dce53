#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "formats/properties.h"
#include "graph/graph.h"
#include "graph/tensor.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace octet::lite {

/// A tensor of the file. `scale` is empty where the tensor is not quantized, `data` where it is
/// computed.
struct LiteTensor {
  std::string name;  ///< unique once the list is optimized
  DType type = DType::Int8;
  Shape shape = {};
  std::vector<float> scale = {};
  std::vector<int32_t> zero_point = {};
  int axis = 0;  ///< of a scale per channel
  std::vector<std::byte> data = {};
  bool packed = false;  ///< its int8 numbers are of 4 bits: the file has two of them in a byte
  /// The graph's value whose integers these are, in the graph's order or with the channels last,
  /// whatever the shape; empty for others. Where no tensor of that name is left, this one gets it.
  std::string value = {};
};

/// One builtin operator; inputs and outputs are indices into the model's tensors.
struct LiteOp {
  tflite::BuiltinOperator code = tflite::BuiltinOperator_RESHAPE;
  int version = 1;
  tflite::BuiltinOptionsUnion options;
  std::vector<int> inputs;
  std::vector<int> outputs;
};

/// The tensor that holds the integers of a value of the graph.
struct LiteValue {
  ValueId value;
  int tensor;
  bool channels_last;
};

/// The plain operator list between the graph and the file: in order of execution, with every
/// layout decided.
struct LiteModel {
  std::vector<LiteTensor> tensors;
  std::vector<LiteOp> ops;
  std::vector<int> inputs;
  std::vector<int> outputs;
  std::vector<LiteValue> values;  ///< those whose tensors are still there
  Properties properties;

  const LiteTensor& tensor(int index) const { return tensors[static_cast<size_t>(index)]; }
  LiteTensor& tensor(int index) { return tensors[static_cast<size_t>(index)]; }
  int add(LiteTensor tensor) {
    tensors.push_back(std::move(tensor));
    return static_cast<int>(tensors.size()) - 1;
  }
};

/// Operator options as the list holds them: `options_of(tflite::AddOptionsT{...})`.
template <class T>
tflite::BuiltinOptionsUnion options_of(T options) {
  tflite::BuiltinOptionsUnion held;
  held.Set(std::move(options));
  return held;
}

/// A tensor of integers of the type (int8 or int16).
Tensor integers_of(DType type, Shape shape, std::span<const int32_t> integers);

/// A constant of int32 numbers (axes, shapes, permutations).
LiteTensor numbers(std::string name, std::span<const int64_t> values, Shape shape);
/// The numbers of such a constant.
std::vector<int64_t> numbers_of(const LiteTensor& tensor);

LiteOp reshape_op(LiteModel& model, int from, int to);
LiteOp transpose_op(LiteModel& model, int from, int to, std::span<const int64_t> permutation);

}  // namespace octet::lite
