#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "engine/executor.h"
#include "net.h"
#include "passes/constant_rows.h"

namespace octet {
namespace {

using test::L;

at::Tensor computed(const Graph& graph, const at::Tensor& x) {
  Interpretation plain;
  return Executor(graph).run({&x, 1}, plain).at(0);
}

struct RowsCase {
  std::string name;
  ValueId (*rows)(test::Net& net);  ///< of x, [N, 3, 8]
  int64_t front = 0;
  int64_t back = 0;
};

ValueId padded(test::Net& net, const L& pads) { return net.op("Pad", {net.x, net.list(pads)}); }

const std::vector<RowsCase>& rows_cases() {
  static const std::vector<RowsCase> all{
      {"Pad", [](test::Net& net) { return padded(net, {0, 1, 0, 0, 2, 0}); }, 1, 2},
      {"PadAndAdd",
       [](test::Net& net) {
         return net.op("Add", {padded(net, {0, 1, 0, 0, 0, 0}), net.c({1, 4, 8})});
       },
       1},
      {"AddOfOneRow",
       [](test::Net& net) { return net.op("Add", {net.c({8}), padded(net, {0, 0, 0, 0, 1, 0})}); },
       0, 1},
      {"Concat",
       [](test::Net& net) {
         const ValueId batch =
             net.op("Shape", {net.x}, {{"start", int64_t{0}}, {"end", int64_t{1}}});
         const ValueId shape = net.op("Concat", {batch, net.list({2, 8})}, {{"axis", int64_t{0}}});
         const ValueId token = net.op("Expand", {net.c({1, 2, 8}), shape});
         return net.op("Add",
                       {net.op("Concat", {token, net.x}, {{"axis", int64_t{1}}}), net.c({5, 8})});
       },
       2},
      {"NothingConstant", [](test::Net& net) { return net.op("Add", {net.x, net.c({3, 8})}); }},
      {"ReflectedRows",
       [](test::Net& net) {
         return net.op("Pad", {net.x, net.list({0, 1, 0, 0, 0, 0})},
                       {{"mode", std::string("reflect")}});
       }},
      {"PaddedColumns", [](test::Net& net) { return padded(net, {0, 1, 1, 0, 0, 0}); }},
  };
  return all;
}

class LowerNormalization : public ::testing::TestWithParam<RowsCase> {};

TEST_P(LowerNormalization, NormalizesConstantRowsBeforehand) {
  for (const std::string op : {"LayerNormalization", "RMSNormalization"}) {
    SCOPED_TRACE(op);
    test::Net net({-1, 3, 8});
    const ValueId rows = GetParam().rows(net);
    Graph graph = net.to({});
    infer_shapes(graph);
    const int64_t width = graph.value(rows).shape[2];
    std::vector<ValueId> inputs{rows, graph.add_constant("scale", test::random_tensor({width}, 7))};
    if (op == "LayerNormalization") {
      inputs.push_back(graph.add_constant("shift", test::random_tensor({width}, 8)));
    }
    graph.add_output(graph.add_op(op, "norm", inputs));
    infer_shapes(graph);
    const auto found = constant_rows(graph, rows);
    EXPECT_EQ(found ? found->front : 0, GetParam().front);
    EXPECT_EQ(found ? found->back : 0, GetParam().back);
    Graph lowered = graph;
    lower(lowered, [&](std::string_view name) { return name != op; });
    for (const NodeId id : lowered.order()) EXPECT_NE(lowered.node(id).op, op);
    const bool split = lowered.find("norm/varying").has_value();
    EXPECT_EQ(split, found.has_value());
    const at::Tensor x = to_torch(test::random_tensor({2, 3, 8}, 3, -2, 2));
    EXPECT_TRUE(at::allclose(computed(lowered, x), computed(graph, x), 1e-4, 1e-5));
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, LowerNormalization, ::testing::ValuesIn(rows_cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace octet
