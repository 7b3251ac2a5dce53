#include "quant/layers.h"

#include <gtest/gtest.h>

#include "passes/passes.h"
#include "pipeline/parity.h"

namespace octet {
namespace {

using test::L;
using test::SmallNet;

struct Found {
  std::vector<std::string> layers;  ///< "first+second"
  std::vector<std::string> blocks;
};

Found layers_in(SmallNet& net, ValueId output) {
  net.graph.add_output(output);
  infer_shapes(net.graph);
  const std::vector<std::string> names{"onnxruntime-cpu"};
  const auto layers = layers_of(net.graph, place(net.graph, TargetSet(names)));
  Found found;
  for (const Layer& layer : layers) {
    std::string text = layer.nodes.empty() ? layer.name : "";
    for (const NodeId id : layer.nodes) {
      text += (text.empty() ? "" : "+") + net.graph.node(id).op;
    }
    found.layers.push_back(text);
  }
  for (const auto& block : blocks_of(net.graph, layers)) {
    std::string text;
    for (const size_t index : block) text += (text.empty() ? "" : " ") + found.layers[index];
    found.blocks.push_back(text);
  }
  return found;
}

TEST(Layers, TakeActivationsAndMovesWithThem) {
  SmallNet net;
  const ValueId a = net.op("Relu", {net.conv(net.x)});
  const ValueId b = net.op("Flatten", {net.op("Transpose", {a}, {{"perm", L{0, 2, 3, 1}}})});
  const Found found = layers_in(net, net.op("Softmax", {b}));
  EXPECT_EQ(found.layers,
            (std::vector<std::string>{"input 'x'", "Conv+Relu+Transpose+Flatten", "Softmax"}));
  EXPECT_EQ(found.blocks, (std::vector<std::string>{"Conv+Relu+Transpose+Flatten", "Softmax"}));
}

TEST(Layers, AResidualBlockIsOneBlock) {
  SmallNet net;
  const ValueId a = net.mixed(net.x);
  const ValueId b = net.op("Relu", {net.mixed(a)});
  const ValueId c = net.op("Relu", {net.op("Add", {net.mixed(b), a})});
  const Found found = layers_in(net, net.mixed(c));
  EXPECT_EQ(found.layers, (std::vector<std::string>{"input 'x'", "Conv", "Conv+Relu", "Conv",
                                                    "Add+Relu", "Conv"}));
  EXPECT_EQ(found.blocks, (std::vector<std::string>{"Conv", "Conv+Relu Conv Add+Relu", "Conv"}));
}

TEST(Layers, AChainThatIsATableIsOneLayer) {
  SmallNet net;
  const ValueId a = net.mixed(net.x);
  const ValueId b = net.op("Sqrt", {net.op("Abs", {a})});
  const Found found = layers_in(net, net.mixed(b));
  EXPECT_EQ(found.layers, (std::vector<std::string>{"input 'x'", "Conv", "Abs+Sqrt", "Conv"}));
}

TEST(Layers, AChainOfTwoBranchesIsOneLayer) {
  SmallNet net;
  const ValueId a = net.mixed(net.x);
  const ValueId sign = net.op("Sign", {a});
  const Found found =
      layers_in(net, net.mixed(net.op("Mul", {sign, net.op("Sqrt", {net.op("Abs", {a})})})));
  EXPECT_EQ(found.layers,
            (std::vector<std::string>{"input 'x'", "Conv", "Sign+Abs+Sqrt+Mul", "Conv"}));
}

}  // namespace
}  // namespace octet
