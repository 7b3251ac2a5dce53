#include <array>

#include "quant/targets/constraints.h"
#include "quant/targets/profiles.h"

namespace octet {
namespace {

using namespace constraints;
using enum OutputGrid;
constexpr auto kPerTensor = Scheme::Weights::PerTensor;

/// An operator that may have weights: symmetric, per tensor.
constexpr TargetOp weighted(std::string_view op, Constraint constraint = nullptr) {
  return {.op = op, .weights = kPerTensor, .constraint = constraint};
}
constexpr TargetOp limited(std::string_view op, Constraint constraint, OutputGrid output = Free) {
  return {.op = op, .output = output, .constraint = constraint};
}

// NXP's eIQ Neutron NPU (i.MX RT700, i.MX 95, MCX N): the operators, granularity and constraints
// that ExecuTorch's NXP backend documents (docs/source/backends/nxp: nxp-quantization.md and
// op-support.csv of 2026), by TFLite's rules for grids, since its converter goes through TFLite.
// Its converter takes slices without steps; which transpositions the NPU moves it decides itself.
constexpr std::array kNxpNeutronOps{
    weighted("Conv", dense_or_depthwise),
    weighted("ConvTranspose", dense_or_depthwise),
    weighted("Gemm"),
    weighted("MatMul"),
    limited("Add", equal_shapes),
    limited("Sub", equal_shapes),
    limited("Mul", elements<8>),
    TargetOp{"GlobalAveragePool", OutputGrid::WholeShift},
    limited("ReduceMean", over_image),
    TargetOp{"ReduceSum"},
    TargetOp{"Relu"},
    limited("Clip", usual_clip),
    TargetOp{"LeakyRelu"},
    limited("PRelu", channels<8>),
    TargetOp{"HardSwish"},
    TargetOp{"Abs"},
    TargetOp{"Exp"},
    TargetOp{"AveragePool", SameAsInput},
    limited("MaxPool", all<channels<8>, window<WindowLimits{.stride = 2, .dilation = 1}>>,
            SameAsInput),
    limited("Concat", channels<8>, SameAsInput),
    TargetOp{"Reshape", SameAsInput},
    TargetOp{"Flatten", SameAsInput},
    TargetOp{"Squeeze", SameAsInput},
    TargetOp{"Unsqueeze", SameAsInput},
    TargetOp{"Transpose", SameAsInput},
    limited("Slice", unit_steps, SameAsInput),
    TargetOp{"Split", SameAsInput},
    limited("Pad", pads_image_only, SameAsInput),
    TargetOp{"ReduceMax", SameAsInput},
    TargetOp{"ReduceMin", SameAsInput},
    TargetOp{"Max", SameAsInput},
    TargetOp{"Min", SameAsInput},
    TargetOp{"Identity", SameAsInput},
    limited("Resize", all<channels<8>, growth<2, 4>>, SameAsInput),
    TargetOp{.op = "Softmax",
             .output = Fixed,
             .scale = 1.0F / 256,
             .zero_point = -128,
             .constraint = short_rows},
    TargetOp{"Sigmoid", Fixed, 1.0F / 256, -128},
    TargetOp{"Tanh", Fixed, 1.0F / 128, 0},
};

}  // namespace

TargetProfile nxp_neutron() {
  return {.name = "nxp-neutron",
          .purpose = "NXP's eIQ Neutron NPU: weights per tensor, int8 from end to end",
          .format = "TFLite INT8",
          .extension = ".tflite",
          .runtime = "TFLite",
          .ops = kNxpNeutronOps,
          .version = {2, 14},
          .tables = false,
          .io = Io::Int8,
          .io_only = true,
          .fixed_point = true};
}

}  // namespace octet
