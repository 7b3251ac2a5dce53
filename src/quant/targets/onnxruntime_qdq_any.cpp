#include <array>

#include "quant/targets/profiles.h"

namespace octet {
namespace {

// Accelerators behind ONNX Runtime (QNN, VitisAI, OpenVINO, TensorRT, ...) take a network in plain
// QDQ form, as ONNX Runtime's document on quantization describes it: every operator of the graph
// between DequantizeLinear and QuantizeLinear, int8, weights symmetric. Which operators a device
// computes in integers is its matter; nothing is lowered or put into tables here. What moves
// values has one grid, as ONNX Runtime's quantizer gives it.
constexpr std::array kOnnxRuntimeQdqAnyOps{
    TargetOp{"Conv"},
    TargetOp{"ConvTranspose"},
    TargetOp{"Gemm"},
    TargetOp{"MatMul"},
    TargetOp{"Add"},
    TargetOp{"Sub"},
    TargetOp{"Mul"},
    TargetOp{"Div"},
    TargetOp{"Pow"},
    TargetOp{"AveragePool"},
    TargetOp{"GlobalAveragePool"},
    TargetOp{"ReduceMean"},
    TargetOp{"ReduceSum"},
    TargetOp{"LayerNormalization"},
    TargetOp{"InstanceNormalization"},
    TargetOp{"LpNormalization"},
    TargetOp{"Softmax"},
    TargetOp{"LogSoftmax"},
    TargetOp{"Relu"},
    TargetOp{"Clip"},
    TargetOp{"LeakyRelu"},
    TargetOp{"PRelu"},
    TargetOp{"Elu"},
    TargetOp{"Gelu"},
    TargetOp{"HardSigmoid"},
    TargetOp{"HardSwish"},
    TargetOp{"Sigmoid"},
    TargetOp{"Tanh"},
    TargetOp{"Abs"},
    TargetOp{"Exp"},
    TargetOp{"Log"},
    TargetOp{"Neg"},
    TargetOp{"Sqrt"},
    TargetOp{"Reciprocal"},
    TargetOp{"Erf"},
    TargetOp{"Sin"},
    TargetOp{"Cos"},
    TargetOp{"Where"},
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
    TargetOp{"Tile", OutputGrid::SameAsInput},
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
    TargetOp{"Resize", OutputGrid::SameAsInput},
};

}  // namespace

TargetProfile onnxruntime_qdq_any() {
  return {.name = "onnxruntime-qdq-any",
          .purpose = "accelerators behind ONNX Runtime: every operator in plain QDQ form, int8",
          .format = "ONNX INT8",
          .extension = ".onnx",
          .runtime = "ONNX Runtime",
          .ops = kOnnxRuntimeQdqAnyOps,
          .version = {1, 23},
          .float_nodes = FloatNodes::Any,
          .tables = false,
          .simulated = false};  // int8 activations are converted, or computed in float in part
}

}  // namespace octet
