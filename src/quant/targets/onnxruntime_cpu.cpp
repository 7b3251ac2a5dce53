#include <array>

#include "quant/targets/profiles.h"

namespace octet {
namespace {

// ONNX Runtime 1.23, CPU: the operators that its QDQ optimizer turns into integer kernels
// (QLinearConv, QGemm, QLinearMatMul, QLinearAdd, ...) or moves integers through.
constexpr std::array kOps{
    TargetOp{"Conv"},
    TargetOp{"Gemm"},
    TargetOp{"MatMul"},
    TargetOp{"Add"},
    TargetOp{"Mul"},
    TargetOp{"AveragePool"},
    TargetOp{"GlobalAveragePool"},
    TargetOp{"Sigmoid"},
    TargetOp{"Softmax"},
    TargetOp{"LeakyRelu"},
    TargetOp{"Relu"},
    TargetOp{"Clip"},
    TargetOp{"Concat", OutputGrid::SameAsInput},
    TargetOp{"MaxPool", OutputGrid::SameAsInput},
    TargetOp{"Reshape", OutputGrid::SameAsInput},
    TargetOp{"Flatten", OutputGrid::SameAsInput},
    TargetOp{"Transpose", OutputGrid::SameAsInput},
    TargetOp{"Squeeze", OutputGrid::SameAsInput},
    TargetOp{"Unsqueeze", OutputGrid::SameAsInput},
    TargetOp{"Slice", OutputGrid::SameAsInput},
    TargetOp{"Pad", OutputGrid::SameAsInput},
};

}  // namespace

TargetProfile onnxruntime_cpu() { return {"onnxruntime-cpu", "ONNX INT8", ".onnx", kOps}; }

}  // namespace octet
