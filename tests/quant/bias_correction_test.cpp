#include "quant/bias_correction.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "quant/refined_net.h"
#include "quant/simulate.h"
#include "support/error_of.h"

namespace octet {
namespace {

using test::RefinedNet;

/// What each channel of a convolution, or column of a product, is in the mean, before rounding.
class ChannelMeans : public Simulation {
 public:
  using Simulation::Simulation;
  at::Tensor activation(ValueId id, const at::Tensor& tensor) override {
    means[id] = tensor.dim() == 4 ? tensor.mean({0, 2, 3}) : tensor.mean(at::IntArrayRef{0});
    return Simulation::activation(id, tensor);
  }
  std::map<ValueId, at::Tensor> means;
};

/// By layer, the largest difference of a channel's mean to that of the float network.
std::map<std::string, double> mean_errors(const RefinedNet& net) {
  const at::NoGradGuard no_grad;
  const at::Tensor images = net.images();
  ChannelMeans rounded(net.graph, net.placement, net.table);
  Executor(net.graph).run({&images, 1}, rounded);
  const QuantTable nothing;
  ChannelMeans real(net.reference, net.placement, nothing);
  Executor(net.reference).run({&images, 1}, real);
  std::map<std::string, double> errors;
  for (const NodeId id : net.graph.order()) {
    if (weight_of(net.graph, id, net.placement) == kAbsent) continue;
    const ValueId out = net.graph.node(id).outputs[0];
    errors[net.graph.node(id).name] =
        (rounded.means.at(out) - real.means.at(out)).abs().max().item<double>();
  }
  return errors;
}

TEST(BiasCorrection, TakesBackWhatRoundingAddsToMeans) {
  for (const auto weights : {Scheme::Weights::PerChannel, Scheme::Weights::PerTensor}) {
    RefinedNet net({.weights = weights});
    const auto before = mean_errors(net);
    const BiasCorrection done = correct_biases(net.reference, net.graph, net.placement, net.table,
                                               [&] { return net.pass(); }, {});
    EXPECT_EQ(done.layers, 5);
    EXPECT_GT(done.before, 0);
    EXPECT_EQ(done.without, std::vector<std::string>{});
    for (const auto& [layer, error] : mean_errors(net)) {
      EXPECT_GT(before.at(layer), 1e-4) << layer << ": there is nothing to take back";
      EXPECT_LT(error, 0.05 * before.at(layer)) << layer;
    }
  }
}

TEST(BiasCorrection, GivesABiasToALayerWithoutOne) {
  RefinedNet net;
  const size_t groups = net.placement.groups.size();
  correct_biases(net.reference, net.graph, net.placement, net.table, [&] { return net.pass(); },
                 {});
  size_t biased = 0;
  for (const NodeId id : net.graph.order()) {
    const Node& node = net.graph.node(id);
    const ValueId weight = weight_of(net.graph, id, net.placement);
    if (weight == kAbsent) continue;
    ASSERT_NE(node.input(2), kAbsent) << node.name;
    const QuantParams& grid = net.table.at(node.inputs[2], net.graph);
    EXPECT_EQ(grid.type, DType::Int32);
    EXPECT_EQ(grid.scale[0], net.table.at(node.inputs[0], net.graph).scale[0] *
                                 net.table.at(weight, net.graph).scale[0]);
    ++biased;
  }
  EXPECT_EQ(biased, 5U);
  EXPECT_EQ(net.placement.groups.size(), groups + 1);
}

TEST(BiasCorrection, MovesNoWeight) {
  RefinedNet net;
  const QuantTable before = net.table;
  correct_biases(net.reference, net.graph, net.placement, net.table, [&] { return net.pass(); },
                 {});
  for (const ValueId id : net.weights()) {
    EXPECT_EQ(*net.table.find(id), *before.find(id));
    EXPECT_EQ(net.graph.value(id).constant->bytes, net.reference.value(id).constant->bytes);
  }
}

TEST(BiasCorrection, NamesProductsThatTakeNone) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {-1, 4});
  const ValueId w = graph.add_constant("w", test::random_tensor({4, 3}, 1));
  graph.add_output(graph.add_op("MatMul", "product", {x, w}));
  infer_shapes(graph);
  const std::vector<std::string> names{"onnxruntime-cpu"};
  Placement placement = place(graph, TargetSet(names));
  const ImagePasses images = [] {
    return [given = false](std::vector<float>& batch) mutable -> int64_t {
      if (std::exchange(given, true)) return 0;
      batch = {1, 2, 3, 4};
      return 1;
    };
  };
  QuantTable table =
      solve(graph, placement, calibrate(graph, placement, images(), {.observer = "minmax"}));
  const Graph reference = graph;
  const BiasCorrection done = correct_biases(reference, graph, placement, table, images, {});
  EXPECT_EQ(done.layers, 0);
  EXPECT_EQ(done.without, std::vector<std::string>{"node \"product\" (MatMul)"});
}

TEST(BiasCorrection, WantsImages) {
  RefinedNet net;
  const ImagePasses none = [] { return [](std::vector<float>&) -> int64_t { return 0; }; };
  EXPECT_EQ(message_of([&] {
              correct_biases(net.reference, net.graph, net.placement, net.table, none, {});
            }),
            "bias-correction: there are no images to calibrate with");
}

}  // namespace
}  // namespace octet
