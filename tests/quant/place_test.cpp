#include "quant/place.h"

#include <gtest/gtest.h>

#include "engine/executor.h"
#include "networks/architectures.h"
#include "passes/passes.h"
#include "quant/solve.h"
#include "support/error_of.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

const TargetSet& both() {
  static const std::vector<std::string> names{"onnxruntime-cpu", "tflite"};
  static const TargetSet targets(names);
  return targets;
}

/// One line per group: what a reader would want to know of the decisions.
std::string text_of(const Graph& graph, const Placement& placement) {
  struct Rule {
    const Graph& graph;
    std::string operator()(const FromData& rule) const {
      return std::format("data [{}, {}]", rule.low, rule.high);
    }
    std::string operator()(const FixedGrid& rule) const {
      return std::format("fixed 1/{:.0f} {}", 1 / rule.scale, rule.zero_point);
    }
    std::string operator()(const Rescaled& rule) const {
      return std::format("{} x {:.4f}", graph.value(rule.source).name, rule.factor);
    }
    std::string operator()(const WeightGrid& rule) const {
      return std::format("weight axis {}", rule.axis);
    }
    std::string operator()(const BiasGrid& rule) const {
      return std::format("bias of {} and {}", graph.value(rule.input).name,
                         graph.value(rule.weight).name);
    }
  };
  std::string text;
  for (const Group& group : placement.groups) {
    std::string members;
    for (const ValueId id : group.members) {
      members += (members.empty() ? "" : " ") + graph.value(id).name;
    }
    text += members + ": " + std::visit(Rule{graph}, group.rule) + "\n";
  }
  return text;
}

struct PlacedNet {
  Graph graph;
  ValueId x;
  explicit PlacedNet(Shape shape = {-1, 4, 6, 6}) {
    x = graph.add_input("x", DType::Float32, shape);
  }
  ValueId weight(const std::string& name, Shape shape) {
    return graph.add_constant(name, test::random_tensor(std::move(shape), 7));
  }
  ValueId scalar(const std::string& name, float value) {
    return graph.add_constant(name, Tensor::scalar(value));
  }
  Graph& finish(ValueId out) {
    graph.add_output(out);
    infer_shapes(graph);
    return graph;
  }
};

struct PlaceCase {
  std::string name;
  ValueId (*build)(PlacedNet&);
  std::string placed;
};

TEST(Place, Decides) {
  const std::vector<PlaceCase> cases{
      {"an activation is absorbed and bounds the range",
       [](PlacedNet& net) {
         const ValueId y = net.graph.add_op(
             "Conv", "conv", {net.x, net.weight("w", {4, 4, 1, 1}), net.weight("b", {4})});
         return net.graph.add_op("Relu", "relu", {y});
       },
       "x: data [-inf, inf]\nrelu: data [0, inf]\nw: weight axis 0\nb: bias of x and w\n"},
      {"not where somebody else reads the value",
       [](PlacedNet& net) {
         const ValueId y = net.graph.add_op("Conv", "conv", {net.x, net.weight("w", {4, 4, 1, 1})});
         return net.graph.add_op("Add", "add", {net.graph.add_op("Relu", "relu", {y}), y});
       },
       "x: data [-inf, inf]\nconv: data [-inf, inf]\nrelu: data [0, inf]\nadd: data [-inf, inf]\n"
       "w: weight axis 0\n"},
      {"what moves shares a grid",
       [](PlacedNet& net) {
         const ValueId pooled = net.graph.add_op("MaxPool", "pool", {net.x},
                                                 {{"kernel_shape", std::vector<int64_t>{2, 2}}});
         return net.graph.add_op("Flatten", "flat", {pooled});
       },
       "x pool flat: data [-inf, inf]\n"},
      {"a gate is fixed, its slope rescales",
       [](PlacedNet& net) {
         const ValueId scaled = net.graph.add_op("Mul", "scaled", {net.x, net.scalar("six", 0.5F)});
         const ValueId moved = net.graph.add_op("Add", "moved", {scaled, net.scalar("half", 0.5F)});
         const ValueId gate =
             net.graph.add_op("Clip", "gate", {moved, net.scalar("low", 0), net.scalar("high", 1)});
         return net.graph.add_op("Mul", "gated", {net.x, gate});
       },
       "x: data [-inf, inf]\nhalf: data [-inf, inf]\ngate: fixed 1/255 -128\n"
       "gated: data [-inf, inf]\nscaled: x x 0.5000\n"},
      {"a product on a shared grid keeps its constant",
       [](PlacedNet& net) {
         const ValueId scaled = net.graph.add_op("Mul", "scaled", {net.x, net.scalar("c", 0.5F)});
         return net.graph.add_op("Flatten", "flat", {scaled});
       },
       "x: data [-inf, inf]\nc: data [-inf, inf]\nscaled flat: data [-inf, inf]\n"},
      {"softmax is fixed by the strictest target",
       [](PlacedNet& net) { return net.graph.add_op("Softmax", "p", {net.x}); },
       "x: data [-inf, inf]\np: fixed 1/256 -128\n"},
      {"a dynamic product has no weight",
       [](PlacedNet& net) { return net.graph.add_op("MatMul", "y", {net.x, net.x}); },
       "x: data [-inf, inf]\ny: data [-inf, inf]\n"},
  };
  for (const PlaceCase& c : cases) {
    SCOPED_TRACE(c.name);
    PlacedNet net;
    const Graph& graph = net.finish(c.build(net));
    EXPECT_EQ(text_of(graph, place(graph, both())), c.placed);
  }
}

TEST(Place, EveryFloatValueOfANetworkIsQuantizedOrAbsorbed) {
  for (const Architecture& architecture : all_architectures()) {
    SCOPED_TRACE(architecture.name);
    Graph graph = make_network(architecture.name, {{3, 32, 32}, 10, 1.0}, 1);
    simplify(graph);
    lower(graph, [](std::string_view op) { return both().supports(op); });
    const Placement placement = place(graph, both());
    for (const NodeId id : graph.order()) {
      const ValueId out = graph.node(id).outputs[0];
      const bool absorbed = std::ranges::contains(placement.absorbed, out);
      EXPECT_NE(placement.group_of.contains(out), absorbed) << graph.value(out).name;
    }
  }
}

TEST(Place, ComputesInFloatWhatHasNoIntegerForm) {
  PlacedNet net;
  const ValueId axis = net.graph.add_constant("axis", test::numbers({1}));
  const ValueId total = net.graph.add_op("CumSum", "total", {net.x, axis});
  const Graph& graph = net.finish(total);
  const Placement placement = place(graph, both());
  EXPECT_EQ(text_of(graph, placement), "x: data [-inf, inf]\ntotal: data [-inf, inf]\n");
  ASSERT_EQ(placement.in_float.size(), 1U);
  EXPECT_EQ(placement.in_float.begin()->second,
            "onnxruntime-cpu and tflite have no integer form of it");
}

TEST(Place, PutsPointwiseFunctionsInARowIntoOneTable) {
  PlacedNet net;
  const ValueId moved = net.graph.add_op("Add", "moved", {net.x, net.scalar("one", 1)});
  const ValueId root = net.graph.add_op("Sqrt", "root", {moved});
  const ValueId inverse = net.graph.add_op("Reciprocal", "inverse", {root});
  const ValueId pooled = net.graph.add_op("GlobalAveragePool", "pooled", {inverse});
  const Graph& graph = net.finish(pooled);
  const Placement placement = place(graph, both());
  EXPECT_EQ(text_of(graph, placement),
            "x: data [-inf, inf]\ninverse: data [-inf, inf]\npooled: data [-inf, inf]\n");
  ASSERT_EQ(placement.chains.size(), 1U);
  const auto& [result, chain] = *placement.chains.begin();
  EXPECT_EQ(result, inverse);
  EXPECT_EQ(chain.source, net.x);
  EXPECT_EQ(chain.nodes.size(), 3U);
}

TEST(Place, EndsATableWhereSomebodyElseReads) {
  PlacedNet net;
  const ValueId size = net.graph.add_op("Abs", "size", {net.x});
  const ValueId root = net.graph.add_op("Sqrt", "root", {size});
  const ValueId pooled = net.graph.add_op("GlobalAveragePool", "pooled", {size});
  const Graph& graph = net.finish(net.graph.add_op("Mul", "y", {root, pooled}));
  EXPECT_EQ(place(graph, both()).chains.size(), 2U);
}

TEST(Place, PutsAFunctionOfOneValueIntoOneTableHoweverItsPartsBranch) {
  PlacedNet net;
  const ValueId size = net.graph.add_op("Abs", "size", {net.x});
  const ValueId log = net.graph.add_op("Log", "log", {size});
  const ValueId root = net.graph.add_op("Sqrt", "root", {size});
  const ValueId product = net.graph.add_op("Mul", "product", {log, root});
  const Graph& graph = net.finish(net.graph.add_op("Add", "y", {net.x, product}));
  const Placement placement = place(graph, both());
  EXPECT_EQ(text_of(graph, placement), "x: data [-inf, inf]\ny: data [-inf, inf]\n");
  ASSERT_EQ(placement.chains.size(), 1U);
  EXPECT_EQ(placement.chains.begin()->second.nodes.size(), 5U);
}

TEST(Place, KeepsAFunctionOfTwoValuesApart) {
  PlacedNet net;
  const ValueId root = net.graph.add_op("Sqrt", "root", {net.x});
  const ValueId pooled = net.graph.add_op("GlobalAveragePool", "pooled", {net.x});
  const Graph& graph = net.finish(net.graph.add_op("Mul", "y", {root, pooled}));
  EXPECT_EQ(place(graph, both()).chains.size(), 1U);
}

TEST(Solve, DoesNotLetThePoleOfAnInverseSetItsRange) {
  PlacedNet net({-1, 4, 6, 6});
  const ValueId moved = net.graph.add_op("Add", "moved", {net.x, net.scalar("epsilon", 1e-15F)});
  const ValueId inverse = net.graph.add_op("Reciprocal", "inverse", {moved});
  const Graph& graph = net.finish(net.graph.add_op("GlobalAveragePool", "y", {inverse}));
  const Placement placement = place(graph, both());
  Ranges ranges;
  ranges[placement.group_of.at(net.x)] = {0, 255, false};
  ranges[placement.group_of.at(inverse)] = {1.0F / 255, 1e15F, false};
  ranges[placement.group_of.at(graph.outputs()[0])] = {0, 1, false};
  const QuantTable table = solve(graph, placement, ranges);
  // The smallest divisor that is not rounded to 0 is one step: 1.
  EXPECT_FLOAT_EQ(table.at(inverse, graph).scale[0], 1.0F / 255);
  EXPECT_EQ(table.find_lookup(inverse)->entries[0], 127);  // 1 / 0 saturates
  EXPECT_EQ(table.find_lookup(inverse)->entries[3], -43);  // 1 / 3 = 85 steps
}

TEST(Place, LeavesTheClipToTheOperatorBeforeATable) {
  PlacedNet net;
  const ValueId conv = net.graph.add_op("Conv", "conv", {net.x, net.weight("w", {4, 4, 1, 1})});
  const ValueId relu = net.graph.add_op("Relu", "relu", {conv});
  const Graph& graph = net.finish(net.graph.add_op("Sqrt", "root", {relu}));
  const Placement placement = place(graph, both());
  ASSERT_EQ(placement.chains.size(), 1U);
  EXPECT_EQ(placement.chains.begin()->second.source, relu);
  EXPECT_EQ(placement.absorbed, std::vector<ValueId>{conv});
}

TEST(Lookup, HoldsTheFunctionAtEveryInteger) {
  PlacedNet net;
  const Graph& graph = net.finish(net.graph.add_op("Sqrt", "root", {net.x}));
  const Chain chain = place(graph, both()).chains.begin()->second;
  const QuantParams in{.scale = {0.125F}, .zero_point = {-118}};
  const QuantParams out{.scale = {0.02F}, .zero_point = {-128}};
  const std::vector<int32_t> entries = tabulate(graph, chain, in, out);
  ASSERT_EQ(entries.size(), 256U);
  EXPECT_EQ(entries[0], -128);        // the root of a negative number is no number: 0
  EXPECT_EQ(entries[10], -128);       // sqrt(0)
  EXPECT_EQ(entries[18], -128 + 50);  // sqrt(1) / 0.02
  EXPECT_EQ(entries[255], 127);       // saturates
}

TEST(Targets, AreNamed) {
  EXPECT_EQ(message_of([] { target_named("npu"); }),
            "unknown target 'npu'; known are onnxruntime-cpu, onnxruntime-qdq-any, tflite, "
            "tflite-int16x8, litert, nxp-neutron, ethos-u, cmsis-nn");
  const std::vector<std::string> none;
  EXPECT_EQ(message_of([&] { TargetSet{none}; }), "no target is given; name at least one");
}

}  // namespace
}  // namespace octet
