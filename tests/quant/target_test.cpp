#include "quant/target.h"

#include <gtest/gtest.h>

#include "engine/executor.h"
#include "quant/place.h"
#include "support/error_of.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

TargetSet targets(const std::vector<std::string>& names) { return TargetSet(names); }

struct TargetNet {
  Graph graph;
  ValueId x = graph.add_input("x", DType::Float32, {-1, 4, 12, 12});
  using Attributes = std::map<std::string, Attribute>;

  ValueId weight(Shape shape) {
    return graph.add_constant("w", test::random_tensor(std::move(shape), 7));
  }
  ValueId op(const std::string& name, std::vector<ValueId> inputs, Attributes attributes = {}) {
    return graph.add_op(name, "n", std::move(inputs), std::move(attributes));
  }
  ValueId list(const std::vector<int64_t>& numbers) {
    return graph.add_constant("list", Tensor::vector(numbers));
  }
  ValueId number(float value) { return graph.add_constant("number", Tensor::scalar(value)); }
};

using L = std::vector<int64_t>;

struct TargetCase {
  const char* name;
  const char* target;
  ValueId (*build)(TargetNet& net);
  const char* reason;  ///< empty: in integers
};

TEST(Targets, SayWhyANodeDoesNotFit) {
  const TargetCase cases[] = {
      {"stride", "ethos-u",
       [](TargetNet& n) {
         return n.op("Conv", {n.x, n.weight({4, 4, 3, 3})}, {{"strides", L{4, 4}}});
       },
       "on ethos-u its stride is 4x4; wanted at most 3"},
      {"kernel", "ethos-u",
       [](TargetNet& n) {
         return n.op("Conv", {n.x, n.weight({4, 4, 10, 1})},
                     {{"dilations", L{8, 1}}, {"pads", L{40, 0, 40, 0}}});
       },
       "on ethos-u its kernel is 73 high; wanted at most 64"},
      {"average of a large window", "ethos-u",
       [](TargetNet& n) { return n.op("AveragePool", {n.x}, {{"kernel_shape", L{9, 9}}}); },
       "on ethos-u its kernel is 9 high; wanted at most 8"},
      {"fine convolution", "ethos-u",
       [](TargetNet& n) { return n.op("Conv", {n.x, n.weight({4, 4, 3, 3})}); }, ""},
      {"dynamic product", "ethos-u", [](TargetNet& n) { return n.op("MatMul", {n.x, n.x}); },
       "on ethos-u its second operand is no constant"},
      {"five dimensions", "ethos-u",
       [](TargetNet& n) { return n.op("Reshape", {n.x, n.list({-1, 2, 2, 12, 12})}); },
       "on ethos-u its value 'n' has 5 dimensions; wanted at most 4"},
      {"clip", "ethos-u",
       [](TargetNet& n) { return n.op("Clip", {n.x, n.number(-2), n.number(3)}); },
       "on ethos-u its bounds are -2 and 3; wanted 0 and 1, 0 and 6, -1 and 1, or 0 alone"},
      {"groups", "nxp-neutron",
       [](TargetNet& n) {
         return n.op("Conv", {n.x, n.weight({4, 2, 1, 1})}, {{"group", int64_t{2}}});
       },
       "on nxp-neutron its 2 groups are neither one nor one for each channel"},
      {"depthwise", "nxp-neutron",
       [](TargetNet& n) {
         return n.op("Conv", {n.x, n.weight({4, 1, 1, 1})}, {{"group", int64_t{4}}});
       },
       ""},
      {"pooled channels", "nxp-neutron",
       [](TargetNet& n) { return n.op("MaxPool", {n.x}, {{"kernel_shape", L{2, 2}}}); },
       "on nxp-neutron its input 'x' has 4 channels; wanted a multiple of 8"},
      {"broadcast sum", "nxp-neutron",
       [](TargetNet& n) { return n.op("Add", {n.x, n.op("GlobalAveragePool", {n.x})}); },
       "on nxp-neutron its operands are of different shapes, Nx4x1x1 and Nx4x12x12"},
      {"no kernel, no table", "nxp-neutron", [](TargetNet& n) { return n.op("Erf", {n.x}); },
       "nxp-neutron has no integer form of it"},
      {"table", "cmsis-nn", [](TargetNet& n) { return n.op("Erf", {n.x}); }, ""},
      {"a kernel of a later release", "litert", [](TargetNet& n) { return n.op("Log", {n.x}); },
       ""},
  };
  for (const TargetCase& c : cases) {
    SCOPED_TRACE(c.name);
    TargetNet net;
    net.graph.add_output(c.build(net));
    infer_shapes(net.graph);
    const Placement placement = place(net.graph, targets({c.target}));
    std::string reasons;
    for (const auto& [id, reason] : placement.in_float) reasons += reason;
    EXPECT_EQ(reasons, c.reason);
  }
}

/// Scales per tensor (-1) or along an axis.
int axis_of_weight(const std::vector<std::string>& names, const char* op, const Scheme& scheme) {
  TargetNet net;
  const bool conv = std::string_view(op) == "Conv";
  const ValueId w = net.weight(conv ? Shape{4, 4, 1, 1} : Shape{576, 4});
  const ValueId in = conv ? net.x : net.graph.add_op("Flatten", "flat", {net.x});
  net.graph.add_output(net.op(op, {in, w}));
  infer_shapes(net.graph);
  const Placement placement = place(net.graph, targets(names), scheme);
  return std::get<WeightGrid>(placement.groups[placement.group_of.at(w)].rule).axis;
}

TEST(Targets, TakeTheCoarsestWeightsOfTheSet) {
  const Scheme per_tensor{.weights = Scheme::Weights::PerTensor};
  EXPECT_EQ(axis_of_weight({"tflite"}, "Conv", {}), 0);
  EXPECT_EQ(axis_of_weight({"tflite"}, "Conv", per_tensor), -1);
  EXPECT_EQ(axis_of_weight({"tflite", "nxp-neutron"}, "Conv", {}), -1);
  EXPECT_EQ(axis_of_weight({"ethos-u"}, "Conv", {}), 0);
  EXPECT_EQ(axis_of_weight({"ethos-u", "onnxruntime-cpu"}, "Gemm", {}), -1);
  EXPECT_EQ(axis_of_weight({"onnxruntime-cpu"}, "Gemm", {}), 1);
  EXPECT_EQ(targets({"tflite", "nxp-neutron"}).weights(), Scheme::Weights::PerTensor);
  EXPECT_EQ(targets({"tflite", "ethos-u"}).weights(), Scheme::Weights::PerChannel);
}

TEST(Targets, KnowSinceWhenAKernelExists) {
  EXPECT_EQ(target_named("tflite").find("Log"), nullptr);
  EXPECT_NE(target_named("litert").find("Log"), nullptr);
  EXPECT_FALSE(targets({"litert", "tflite"}).supports("Sqrt"));
}

TEST(Targets, AskForIntegersAtTheEnds) {
  EXPECT_EQ(targets({"tflite"}).io(), Io::Float);
  EXPECT_EQ(targets({"tflite", "nxp-neutron"}).io(), Io::Int8);
}

}  // namespace
}  // namespace octet
