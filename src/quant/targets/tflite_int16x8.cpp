#include <array>

#include "quant/targets/profiles.h"

namespace octet {
namespace {

constexpr float kFraction = 1.0F / 32768;

// TFLite 2.14 builtin kernels of int16 activations with int8 weights and int64 biases, all with
// zero points of 0. EXP and ABS have 16-bit kernels too, but EXP interpolates between 513 points:
// as tables of all 65,536 integers (128 KB) these functions are rounded once. HARD_SWISH, GELU,
// ELU, PRELU, LOG_SOFTMAX and TILE have none, SUM none that works; DEPTH_TO_SPACE and
// SPACE_TO_DEPTH none, but they are transpositions.
constexpr std::array kTfliteInt16x8Ops{
    TargetOp{"Conv"},
    TargetOp{"ConvTranspose"},
    TargetOp{"Gemm"},
    TargetOp{"MatMul"},
    TargetOp{"Add"},
    TargetOp{"Sub"},
    TargetOp{"Mul"},
    TargetOp{"GlobalAveragePool"},
    TargetOp{"ReduceMean"},
    TargetOp{"LeakyRelu"},
    TargetOp{"Relu"},
    TargetOp{"Clip"},
    TargetOp{"AveragePool", OutputGrid::SameAsInput},
    TargetOp{"Concat", OutputGrid::SameAsInput},
    TargetOp{"MaxPool", OutputGrid::SameAsInput},
    TargetOp{"GlobalMaxPool", OutputGrid::SameAsInput},
    TargetOp{"Reshape", OutputGrid::SameAsInput},
    TargetOp{"Flatten", OutputGrid::SameAsInput},
    TargetOp{"Transpose", OutputGrid::SameAsInput},
    TargetOp{"Squeeze", OutputGrid::SameAsInput},
    TargetOp{"Unsqueeze", OutputGrid::SameAsInput},
    TargetOp{"Slice", OutputGrid::SameAsInput},
    TargetOp{"Pad", OutputGrid::SameAsInput},
    TargetOp{"Split", OutputGrid::SameAsInput},
    TargetOp{"Expand", OutputGrid::SameAsInput},
    TargetOp{"Gather", OutputGrid::SameAsInput},
    TargetOp{"GatherElements", OutputGrid::SameAsInput},
    TargetOp{"GatherND", OutputGrid::SameAsInput},
    TargetOp{"DepthToSpace", OutputGrid::SameAsInput},
    TargetOp{"SpaceToDepth", OutputGrid::SameAsInput},
    TargetOp{"ReduceMax", OutputGrid::SameAsInput},
    TargetOp{"ReduceMin", OutputGrid::SameAsInput},
    TargetOp{"Identity", OutputGrid::SameAsInput},
    TargetOp{"Max", OutputGrid::SameAsInput},
    TargetOp{"Min", OutputGrid::SameAsInput},
    TargetOp{"Where", OutputGrid::SameAsInput},
    TargetOp{"Resize", OutputGrid::SameAsInput},
    TargetOp{"Softmax", OutputGrid::Fixed, kFraction, 0},
    TargetOp{"Sigmoid", OutputGrid::Fixed, kFraction, 0},
    TargetOp{"Tanh", OutputGrid::Fixed, kFraction, 0},
};

}  // namespace

TargetProfile tflite_int16x8() {
  return {.name = "tflite-int16x8",
          .purpose = "TensorFlow Lite's kernels of 16-bit activations and 8-bit weights",
          .format = "TFLite INT16X8",
          .extension = ".tflite",
          .runtime = "TFLite",
          .ops = kTfliteInt16x8Ops,
          .version = {2, 14},
          .float_nodes = FloatNodes::Asked,
          .fixed_point = true,
          .activation_bits = 16};
}

}  // namespace octet
