#include "formats/tflite/versions.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace octet::lite {
namespace {

using Version = std::pair<tflite::BuiltinOperator, int>;

// The first versions with such kernels, of TensorFlow's op_version.cc. What is not here has no
// version of its own.
constexpr std::array kHybrid{
    std::pair{tflite::BuiltinOperator_CONV_2D, 5},
    std::pair{tflite::BuiltinOperator_DEPTHWISE_CONV_2D, 6},
    std::pair{tflite::BuiltinOperator_FULLY_CONNECTED, 9},
};
constexpr std::array kWide{
    std::pair{tflite::BuiltinOperator_ADD, 3},
    std::pair{tflite::BuiltinOperator_AVERAGE_POOL_2D, 3},
    std::pair{tflite::BuiltinOperator_BATCH_MATMUL, 3},
    std::pair{tflite::BuiltinOperator_CONCATENATION, 4},
    std::pair{tflite::BuiltinOperator_CONV_2D, 4},
    std::pair{tflite::BuiltinOperator_DEPTHWISE_CONV_2D, 5},
    std::pair{tflite::BuiltinOperator_DEQUANTIZE, 3},
    std::pair{tflite::BuiltinOperator_FULLY_CONNECTED, 7},
    std::pair{tflite::BuiltinOperator_GATHER, 4},
    std::pair{tflite::BuiltinOperator_LOGISTIC, 3},
    std::pair{tflite::BuiltinOperator_MAXIMUM, 4},
    std::pair{tflite::BuiltinOperator_MAX_POOL_2D, 3},
    std::pair{tflite::BuiltinOperator_MEAN, 3},
    std::pair{tflite::BuiltinOperator_MINIMUM, 4},
    std::pair{tflite::BuiltinOperator_MUL, 4},
    std::pair{tflite::BuiltinOperator_PAD, 3},
    std::pair{tflite::BuiltinOperator_PADV2, 3},
    std::pair{tflite::BuiltinOperator_QUANTIZE, 2},
    std::pair{tflite::BuiltinOperator_REDUCE_MAX, 3},
    std::pair{tflite::BuiltinOperator_REDUCE_MIN, 3},
    std::pair{tflite::BuiltinOperator_RELU, 3},
    std::pair{tflite::BuiltinOperator_RELU6, 3},
    std::pair{tflite::BuiltinOperator_RESIZE_BILINEAR, 4},
    std::pair{tflite::BuiltinOperator_RESIZE_NEAREST_NEIGHBOR, 4},
    std::pair{tflite::BuiltinOperator_SLICE, 4},
    std::pair{tflite::BuiltinOperator_SOFTMAX, 3},
    std::pair{tflite::BuiltinOperator_SUB, 5},
    std::pair{tflite::BuiltinOperator_TANH, 3},
    std::pair{tflite::BuiltinOperator_TRANSPOSE, 5},
};

bool is_wide(const LiteModel& model, const LiteOp& op) {
  const auto wide = [&](int tensor) { return model.tensor(tensor).type == DType::Int16; };
  return std::ranges::any_of(op.inputs, wide) || std::ranges::any_of(op.outputs, wide);
}

bool is_hybrid(const LiteModel& model, const LiteOp& op) {
  return op.inputs.size() > 1 && model.tensor(op.inputs[0]).type == DType::Float32 &&
         model.tensor(op.inputs[1]).type == DType::Int8;
}

void raise(LiteOp& op, std::span<const Version> versions) {
  const auto known = std::ranges::find(versions, op.code, &Version::first);
  if (known != versions.end()) op.version = std::max(op.version, known->second);
}

}  // namespace

void raise_versions(LiteModel& model) {
  for (LiteOp& op : model.ops) {
    if (is_hybrid(model, op)) raise(op, kHybrid);
    if (!is_wide(model, op)) continue;
    raise(op, kWide);
    if (auto* add = op.options.AsAddOptions()) add->pot_scale_int16 = false;
    if (auto* sub = op.options.AsSubOptions()) sub->pot_scale_int16 = false;
  }
}

}  // namespace octet::lite
