// Scales at the edges of what floats hold, and of what TFLite re-quantizes.

#include "quant/solve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "base/fail.h"
#include "engine/executor.h"
#include "passes/passes.h"
#include "quant/ratio.h"
#include "support/error_of.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

/// A convolution with a bias and an activation, a sum and a product: y = (relu(conv(x)) + x) * 3.
struct SolvedNet {
  Graph graph;
  Placement placement;
  Ranges ranges;
  ValueId x = graph.add_input("x", DType::Float32, {-1, 2, 4, 4});
  ValueId relu = kAbsent;
  ValueId sum = kAbsent;
  ValueId weight = kAbsent;
  ValueId bias = kAbsent;

  SolvedNet(std::vector<float> weights, std::vector<float> biases) {
    weight = graph.add_constant("w", Tensor::of<float>({2, 2, 1, 1}, weights));
    bias = graph.add_constant("b", Tensor::of<float>({2}, biases));
    const ValueId conv = graph.add_op("Conv", "conv", {x, weight, bias});
    relu = graph.add_op("Relu", "relu", {conv});
    sum = graph.add_op("Add", "sum", {relu, x});
    const ValueId three = graph.add_constant("three", Tensor::scalar(3));
    graph.add_output(graph.add_op("Mul", "y", {sum, three}));
    infer_shapes(graph);
    const std::vector<std::string> names{"onnxruntime-cpu", "tflite"};
    placement = place(graph, TargetSet(names));
    for (size_t i = 0; i < placement.groups.size(); ++i) ranges[i] = {-1, 1, false};
  }
  void set_range(ValueId id, Range range) { ranges[placement.group_of.at(id)] = range; }
  QuantTable solved() const { return solve(graph, placement, ranges); }
};

bool sound(const QuantParams& params) {
  return std::ranges::all_of(params.scale, [](float s) { return std::isnormal(s) && s > 0; }) &&
         std::ranges::all_of(params.zero_point,
                             [&](int32_t z) { return z >= params.low && z <= params.high; });
}

/// Any float that a network may hold: tiny, huge, 0.
float any_float() {
  if (*rc::gen::inRange(0, 5) == 0) return 0;
  const auto mantissa = static_cast<float>(*rc::gen::inRange(-999, 1000));
  return std::ldexp(mantissa / 1000, *rc::gen::inRange(-140, 128));
}

Range any_range() {
  const float a = any_float();
  const float b = any_float();
  return *rc::gen::inRange(0, 9) == 0 ? Range{} : Range{std::min(a, b), std::max(a, b), false};
}

RC_GTEST_PROP(Solve, GivesOnlyScalesThatAreNumbers, ()) {
  SolvedNet net({any_float(), any_float(), any_float(), any_float()}, {any_float(), any_float()});
  for (auto& [group, range] : net.ranges) range = any_range();
  std::optional<QuantTable> table;
  try {
    table = net.solved();
  } catch (const Error& error) {
    RC_ASSERT(error.code() == Code::Numeric);
    RC_ASSERT(std::string(error.what()).starts_with("the value '"));
    return;
  }
  for (const auto& [id, params] : table->values()) RC_ASSERT(sound(params));
}

TEST(Solve, HasAGridForEverythingUsual) {
  struct Case {
    const char* name;
    std::vector<float> weights;
    std::vector<float> biases;
    Range relu;
  };
  const std::vector<Case> cases{
      {"dead channel", {0, 0, 1, 1}, {0, 0}, {0, 2, false}},
      {"all dead", {0, 0, 0, 0}, {-1, -1}, {0, 0, false}},
      {"never active", {1, -1, 1, 1}, {-9, -9}, {0, 0, false}},
      {"nothing seen", {1, -1, 1, 1}, {0, 0}, {}},
      {"huge bias", {1e-6F, 1e-6F, 1, 1}, {1e6F, 0}, {0, 1e6F, false}},
      {"small range", {1, 1, 1, 1}, {0, 0}, {0, 1e-5F, false}},
  };
  const std::vector<std::string> names{"onnxruntime-cpu", "tflite"};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    SolvedNet net(c.weights, c.biases);
    net.set_range(net.relu, c.relu);
    const QuantTable table = net.solved();
    for (const auto& [id, params] : table.values()) EXPECT_TRUE(sound(params));
    EXPECT_NO_THROW(check_ratios(net.graph, table, TargetSet(names)));
  }
}

TEST(Solve, NamesTheValueWithoutAScale) {
  SolvedNet net({1e30F, 1, 1, 1}, {0, 0});
  net.set_range(net.x, {-1e30F, 1e30F, false});
  const Error failure = error_of([&] { net.solved(); });
  EXPECT_EQ(failure.code(), Code::Numeric);
  EXPECT_STREQ(
      failure.what(),
      "the value 'b' would have the scale inf; wanted a normal number above 0: its numbers, or "
      "those of its node's inputs, are too large or too small for float");
}

TEST(Ratio, NamesTheValueThatIsTooFine) {
  const std::vector<std::string> both{"onnxruntime-cpu", "tflite"};
  const std::vector<std::string> onnx{"onnxruntime-cpu"};
  SolvedNet net({1, 1, 1, 1}, {0, 0});
  net.set_range(net.x, {0, 255, false});
  net.set_range(net.sum, {0, 255.0F / 1048576, false});
  const QuantTable table = net.solved();
  EXPECT_NO_THROW(check_ratios(net.graph, table, TargetSet(onnx)));
  const Error failure = error_of([&] { check_ratios(net.graph, table, TargetSet(both)); });
  EXPECT_EQ(failure.code(), Code::Unsupported);
  EXPECT_STREQ(
      failure.what(),
      "the value 'sum' has the scale 9.54e-07, 1.05e+06 times finer than what node \"sum\" "
      "(Add) computes; a fixed-point target takes less than 524288: the value should be larger, or "
      "its grid coarser");
  SolvedNet fine({1, 1, 1, 1}, {0, 0});
  fine.set_range(fine.relu, {0, 1e-9F, false});
  EXPECT_THAT(message_of([&] { check_ratios(fine.graph, fine.solved(), TargetSet(both)); }),
              ::testing::HasSubstr("node \"conv\" (Conv) computes; a fixed-point target takes at "
                                   "most 1048576"));
}

}  // namespace
}  // namespace octet
