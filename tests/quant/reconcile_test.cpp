#include "quant/reconcile.h"

#include <gtest/gtest.h>

#include "engine/executor.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

using namespace test;

QuantParams grid(float scale, int32_t zero_point) {
  return {.scale = {scale}, .zero_point = {zero_point}, .origin = Origin::Imported};
}

struct ReconciledNet {
  Graph graph;
  QuantTable given;
  ValueId x = graph.add_input("x", DType::Float32, {-1, 4, 6, 6});

  ValueId op(const std::string& op, const std::string& name, std::vector<ValueId> inputs,
             std::map<std::string, Attribute> attributes = {}) {
    return graph.add_op(op, name, std::move(inputs), std::move(attributes));
  }
  void on(ValueId id, QuantParams params) { given.set(id, std::move(params)); }

  std::string reconciled(ValueId output, const std::vector<std::string>& names) {
    graph.add_output(output);
    infer_shapes(graph);
    std::string text;
    for (const Requantization& copy : reconcile(graph, TargetSet(names), given)) {
      text += std::format("{} -> {}{}\n", graph.value(copy.from).name, graph.value(copy.to).name,
                          copy.exact ? "" : ", rounded twice");
    }
    for (const NodeId id : graph.order()) {
      const ValueId out = graph.node(id).outputs[0];
      const QuantParams* held = given.find(out);
      text += std::format("{} {}\n", graph.value(out).name,
                          held ? std::format("{} {}", held->scale[0], held->zero_point[0]) : "-");
    }
    return text;
  }
};

const std::vector<std::string> kBoth{"onnxruntime-cpu", "tflite"};

TEST(Reconcile, WhatMovesHasTheGridOfWhatItMoves) {
  ReconciledNet net;
  net.on(net.x, grid(0.5F, 3));
  const ValueId turned = net.op("Transpose", "turned", {net.x});
  EXPECT_EQ(net.reconciled(net.op("Relu", "y", {turned}), kBoth), "turned 0.5 3\ny -\n");
}

TEST(Reconcile, WhatIsMovedGetsTheGridOfTheResult) {
  ReconciledNet net;
  const ValueId sum = net.op("Add", "sum", {net.x, net.x});
  const ValueId turned = net.op("Transpose", "turned", {sum});
  net.on(turned, grid(0.5F, 3));
  EXPECT_EQ(net.reconciled(turned, kBoth), "sum 0.5 3\nturned 0.5 3\n");
}

TEST(Reconcile, AResultOnAnotherGridIsACopy) {
  ReconciledNet net;
  net.on(net.x, grid(0.5F, 3));
  const ValueId pooled =
      net.op("MaxPool", "y", {net.x}, {{"kernel_shape", std::vector<int64_t>{2, 2}}});
  net.on(pooled, grid(0.25F, 1));
  EXPECT_EQ(net.reconciled(pooled, kBoth), "y/computed -> y\ny/computed 0.5 3\ny 0.25 1\n");
}

TEST(Reconcile, OperandsAreBroughtToTheGridOfTheResult) {
  ReconciledNet net;
  net.on(net.x, grid(0.5F, 3));
  const ValueId sum = net.op("Add", "sum", {net.x, net.x});
  net.on(sum, grid(1, 2));
  const ValueId all = net.op("Concat", "y", {net.x, sum}, {{"axis", int64_t{1}}});
  net.on(all, grid(1, 2));
  EXPECT_EQ(net.reconciled(all, kBoth),
            "x -> y/requantize 0\nsum 1 2\ny/requantize 0 1 2\ny 1 2\n");
}

TEST(Reconcile, AnAverageIsRoundedTwiceWhereItsKernelHasOneGrid) {
  const auto text = [](const std::vector<std::string>& names) {
    ReconciledNet net;
    net.on(net.x, grid(0.5F, 3));
    const ValueId pooled =
        net.op("AveragePool", "y", {net.x}, {{"kernel_shape", std::vector<int64_t>{2, 2}}});
    net.on(pooled, grid(0.25F, 1));
    return net.reconciled(pooled, names);
  };
  EXPECT_EQ(text({"tflite"}), "y/computed -> y, rounded twice\ny/computed 0.5 3\ny 0.25 1\n");
  EXPECT_EQ(text({"onnxruntime-cpu"}), "y 0.25 1\n");
}

TEST(Reconcile, ASoftmaxIsRoundedTwiceWhereItsKernelHasAFixedGrid) {
  const auto text = [](const QuantParams& given) {
    ReconciledNet net;
    net.on(net.x, grid(0.5F, 3));
    const ValueId shares = net.op("Softmax", "y", {net.x});
    net.on(shares, given);
    return net.reconciled(shares, kBoth);
  };
  EXPECT_EQ(text(grid(1.0F / 256, -128)), "y 0.00390625 -128\n");
  EXPECT_EQ(text(grid(1.0F / 255, -128)),
            "y/computed -> y, rounded twice\ny/computed -\ny 0.003921569 -128\n");
}

}  // namespace
}  // namespace octet
