#include <array>

#include "quant/targets/profiles.h"

namespace octet {
namespace {

// TFLite 2.14 builtin int8 kernels and the rules of the TFLite 8-bit quantization specification.
constexpr std::array kOps{
    TargetOp{"Conv"},
    TargetOp{"Gemm"},
    TargetOp{"MatMul"},
    TargetOp{"Add"},
    TargetOp{"Sub"},
    TargetOp{"Mul"},
    TargetOp{"GlobalAveragePool"},
    TargetOp{"LeakyRelu"},
    TargetOp{"HardSwish"},
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
    TargetOp{"Softmax", OutputGrid::Fixed, 1.0F / 256, -128},
    TargetOp{"Sigmoid", OutputGrid::Fixed, 1.0F / 256, -128},
    TargetOp{"Tanh", OutputGrid::Fixed, 1.0F / 128, 0},
};

}  // namespace

TargetProfile tflite() { return {"tflite", "TFLite INT8", ".tflite", kOps}; }

}  // namespace octet
