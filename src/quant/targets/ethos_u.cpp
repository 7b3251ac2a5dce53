#include <array>

#include "quant/targets/constraints.h"
#include "quant/targets/profiles.h"

namespace octet {
namespace {

using namespace constraints;
using enum OutputGrid;

/// Tensors of the NPU.
constexpr Constraint kTensors = dimensions<4, 65535>;
template <auto... kMore>
constexpr Constraint kWith = all<dimensions<4, 65535>, kMore...>;

constexpr WindowLimits kConvWindow{.stride = 3, .height = 64, .area = 4096};
constexpr WindowLimits kTransposedWindow{.stride = 2, .height = 64, .area = 4096};
constexpr WindowLimits kPoolWindow{.stride = 3, .height = 256, .area = 65536};
/// Of padded images; the writer pads only where the network does.
constexpr WindowLimits kAverageWindow{.stride = 3, .height = 8, .area = 64};

constexpr TargetOp op(std::string_view name, Constraint constraint = kTensors,
                      OutputGrid output = Free) {
  return {.op = name, .output = output, .constraint = constraint};
}
constexpr TargetOp moves(std::string_view name, Constraint constraint = kTensors) {
  return op(name, constraint, SameAsInput);
}
constexpr TargetOp fixed(std::string_view name, float scale, int32_t zero_point) {
  return {.op = name,
          .output = Fixed,
          .scale = scale,
          .zero_point = zero_point,
          .constraint = kTensors};
}
/// Scales per axis are for convolutions alone.
constexpr TargetOp connected(std::string_view name, Constraint constraint) {
  return {.op = name, .weights = Scheme::Weights::PerTensor, .constraint = constraint};
}

// Arm's Ethos-U55 and U65: what Vela 3.10 places on the NPU (its SUPPORTED_OPS.md), by TFLite's
// rules for grids. Of TRANSPOSE it takes a few shapes only: no row. Operators that Vela leaves to
// the CPU have no row; the target tflite or cmsis-nn writes them.
constexpr std::array kEthosUOps{
    op("Conv", kWith<window<kConvWindow>>),
    op("ConvTranspose", kWith<window<kTransposedWindow>>),
    connected("Gemm", kTensors),
    connected("MatMul", kWith<constant_weight>),
    op("Add", kWith<shape_of_one_operand>),
    op("Sub", kWith<shape_of_one_operand>),
    op("Mul", kWith<shape_of_one_operand>),
    op("GlobalAveragePool", kTensors, OutputGrid::WholeShift),
    op("ReduceMean", kWith<over_image>),
    op("Relu"),
    op("Clip", kWith<usual_clip>),
    op("LeakyRelu"),
    op("PRelu"),
    op("HardSwish"),
    op("Abs"),
    op("Exp"),
    moves("AveragePool", kWith<window<kAverageWindow>>),
    moves("MaxPool", kWith<window<kPoolWindow>>),
    moves("Concat"),
    moves("Reshape"),
    moves("Flatten"),
    moves("Squeeze"),
    moves("Unsqueeze"),
    moves("Slice", kWith<unit_steps>),
    moves("Split"),
    moves("Pad", kWith<pads_image_only>),
    moves("Max", kWith<shape_of_one_operand>),
    moves("Min", kWith<shape_of_one_operand>),
    moves("Identity"),
    moves("Resize", kWith<growth<2, 4, 8>>),
    fixed("Softmax", 1.0F / 256, -128),
    fixed("Sigmoid", 1.0F / 256, -128),
    fixed("Tanh", 1.0F / 128, 0),
};

}  // namespace

TargetProfile ethos_u() {
  return {.name = "ethos-u",
          .purpose = "Arm Ethos-U55 and U65 through Vela: everything on the NPU",
          .format = "TFLite INT8",
          .extension = ".tflite",
          .runtime = "TFLite",
          .ops = kEthosUOps,
          .version = {2, 14},
          .tables = false,
          .io = Io::Int8,
          .fixed_point = true};
}

}  // namespace octet
