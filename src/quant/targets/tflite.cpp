#include <array>

#include "quant/targets/profiles.h"

namespace octet {
namespace {

// TFLite's builtin int8 kernels and the rules of the TFLite 8-bit quantization specification. Every
// row is of 2.14 at the latest, but for those that say since when (tools/versioning/runtime_version
// of LiteRT).
constexpr std::array kTfliteOps{
    // FULLY_CONNECTED takes 4 bits with one scale alone.
    TargetOp{.op = "Conv", .weight_bits = 4},
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
    TargetOp{"Gelu"},
    TargetOp{"Elu"},
    TargetOp{"Exp"},
    TargetOp{"Abs"},
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
    TargetOp{"Tile", OutputGrid::SameAsInput},
    TargetOp{"Gather", OutputGrid::SameAsInput},
    TargetOp{"GatherElements", OutputGrid::SameAsInput},
    TargetOp{"GatherND", OutputGrid::SameAsInput},
    TargetOp{"DepthToSpace", OutputGrid::SameAsInput},
    TargetOp{"SpaceToDepth", OutputGrid::SameAsInput},
    TargetOp{"ReduceMax", OutputGrid::SameAsInput},
    TargetOp{"ReduceMin", OutputGrid::SameAsInput},
    TargetOp{"Identity", OutputGrid::SameAsInput},
    // Not moved by ONNX's meaning, but TFLite's kernels know no scale.
    TargetOp{"Max", OutputGrid::SameAsInput},
    TargetOp{"Min", OutputGrid::SameAsInput},
    TargetOp{"Where", OutputGrid::SameAsInput},
    TargetOp{"Resize", OutputGrid::SameAsInput},
    TargetOp{"Softmax", OutputGrid::Fixed, 1.0F / 256, -128},
    TargetOp{"LogSoftmax", OutputGrid::Fixed, 16.0F / 256, 127},
    TargetOp{"Sigmoid", OutputGrid::Fixed, 1.0F / 256, -128},
    TargetOp{"Tanh", OutputGrid::Fixed, 1.0F / 128, 0},
    TargetOp{.op = "Log", .since = {2, 15}},
    TargetOp{.op = "Sqrt", .since = {2, 21}},
};

}  // namespace

TargetProfile tflite() {
  return {.name = "tflite",
          .purpose = "TensorFlow Lite's own kernels on a CPU",
          .format = "TFLite INT8",
          .extension = ".tflite",
          .runtime = "TFLite",
          .ops = kTfliteOps,
          .version = {2, 14},
          .float_nodes = FloatNodes::Asked,
          .fixed_point = true,
          .of_16_bits = "tflite-int16x8"};
}

}  // namespace octet
