#include <array>

#include "quant/targets/profiles.h"

namespace octet {
namespace {

using enum OutputGrid;

// TensorFlow Lite for Microcontrollers with CMSIS-NN: its int8 kernels
// (tensorflow/lite/micro/kernels of tflite-micro, 2026), by TFLite's rules for grids. Tables are
// CAST, ADD of int32 and GATHER there too. It lacks GELU, EXP of int8 and TILE.
constexpr std::array kCmsisNnOps{
    TargetOp{"Conv"},
    TargetOp{"ConvTranspose"},
    TargetOp{"Gemm"},
    TargetOp{"MatMul"},
    TargetOp{"Add"},
    TargetOp{"Sub"},
    TargetOp{"Mul"},
    TargetOp{"GlobalAveragePool", OutputGrid::WholeShift},
    TargetOp{"ReduceMean"},
    TargetOp{"ReduceSum"},
    TargetOp{"LeakyRelu"},
    TargetOp{"PRelu"},
    TargetOp{"HardSwish"},
    TargetOp{"Elu"},
    TargetOp{"Abs"},
    TargetOp{"Relu"},
    TargetOp{"Clip"},
    TargetOp{"AveragePool", SameAsInput},
    TargetOp{"Concat", SameAsInput},
    TargetOp{"MaxPool", SameAsInput},
    TargetOp{"GlobalMaxPool", SameAsInput},
    TargetOp{"Reshape", SameAsInput},
    TargetOp{"Flatten", SameAsInput},
    TargetOp{"Transpose", SameAsInput},
    TargetOp{"Squeeze", SameAsInput},
    TargetOp{"Unsqueeze", SameAsInput},
    TargetOp{"Slice", SameAsInput},
    TargetOp{"Pad", SameAsInput},
    TargetOp{"Split", SameAsInput},
    TargetOp{"Expand", SameAsInput},
    TargetOp{"Gather", SameAsInput},
    TargetOp{"GatherND", SameAsInput},
    TargetOp{"DepthToSpace", SameAsInput},
    TargetOp{"SpaceToDepth", SameAsInput},
    TargetOp{"ReduceMax", SameAsInput},
    TargetOp{"ReduceMin", SameAsInput},
    TargetOp{"Identity", SameAsInput},
    TargetOp{"Max", SameAsInput},
    TargetOp{"Min", SameAsInput},
    TargetOp{"Where", SameAsInput},
    TargetOp{"Resize", SameAsInput},
    TargetOp{"Softmax", Fixed, 1.0F / 256, -128},
    TargetOp{"LogSoftmax", Fixed, 16.0F / 256, 127},
    TargetOp{"Sigmoid", Fixed, 1.0F / 256, -128},
    TargetOp{"Tanh", Fixed, 1.0F / 128, 0},
};

}  // namespace

TargetProfile cmsis_nn() {
  return {.name = "cmsis-nn",
          .purpose = "TensorFlow Lite for Microcontrollers with CMSIS-NN, on Cortex-M",
          .format = "TFLite INT8",
          .extension = ".tflite",
          .runtime = "TFLite",
          .ops = kCmsisNnOps,
          .version = {2, 14},
          .io = Io::Int8,
          .fixed_point = true};
}

}  // namespace octet
