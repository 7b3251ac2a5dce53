#include <array>

#include "quant/targets/profiles.h"

namespace octet {
namespace {

// ONNX Runtime 1.23, CPU: the operators that its QDQ optimizer turns into integer kernels
// (QLinearConv, QGemm, QLinearMatMul, QLinearAdd, ...) or moves integers through.
constexpr std::array kOnnxRuntimeCpuOps{
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
    TargetOp{"Split", OutputGrid::SameAsInput},
    TargetOp{"Expand", OutputGrid::SameAsInput},
    TargetOp{"Tile", OutputGrid::SameAsInput},
    TargetOp{"Gather", OutputGrid::SameAsInput},
    TargetOp{"GatherElements", OutputGrid::SameAsInput},
    TargetOp{"GatherND", OutputGrid::SameAsInput},
    TargetOp{"DepthToSpace", OutputGrid::SameAsInput},
    TargetOp{"SpaceToDepth", OutputGrid::SameAsInput},
    TargetOp{"ReduceMax", OutputGrid::SameAsInput},
    TargetOp{"ReduceMin", OutputGrid::SameAsInput},
    TargetOp{"GlobalMaxPool", OutputGrid::SameAsInput},
    TargetOp{"Identity", OutputGrid::SameAsInput},
    TargetOp{"Max", OutputGrid::SameAsInput},
    TargetOp{"Min", OutputGrid::SameAsInput},
    TargetOp{"Where"},
    TargetOp{"Resize", OutputGrid::SameAsInput},
};

}  // namespace

TargetProfile onnxruntime_cpu() {
  return {.name = "onnxruntime-cpu",
          .purpose = "ONNX Runtime on a CPU; activations are uint8, the fast form on x86",
          .format = "ONNX INT8",
          .extension = ".onnx",
          .runtime = "ONNX Runtime",
          .ops = kOnnxRuntimeCpuOps,
          .version = {1, 23},
          .float_nodes = FloatNodes::Any,
          .unsigned_activations = true,
          .narrow_sums = true};  // x86 without VNNI: vpmaddubsw
}

}  // namespace octet
