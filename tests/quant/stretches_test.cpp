#include "quant/stretches.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "quant/refined_net.h"

namespace octet {
namespace {

std::string ops_in(const Graph& graph, const Stretch& stretch) {
  std::vector<std::string> ops;
  for (const NodeId id : stretch.nodes) ops.push_back(graph.node(id).op);
  return join(ops, " ");
}

TEST(Stretches, AreCutWhereOneValueLives) {
  const test::RefinedNet net;
  const std::vector<std::string> wanted{
      "Conv Relu",                            // the stem
      "Conv Relu Conv Add Relu",              // a residual block
      "Conv Clip GlobalAveragePool Flatten",  // what has no weights goes with what is before it
      "Gemm",
  };
  std::vector<std::string> found;
  const auto blocks = cut_where_narrow(net.graph, net.table);
  for (const Stretch& block : blocks) found.push_back(ops_in(net.graph, block));
  EXPECT_EQ(found, wanted);
  EXPECT_EQ(blocks.front().input, net.graph.inputs()[0]);
  EXPECT_EQ(blocks.back().output, net.graph.outputs()[0]);
  for (size_t i = 1; i < blocks.size(); ++i) EXPECT_EQ(blocks[i].input, blocks[i - 1].output);
}

TEST(Stretches, LayersTakeInTheirActivations) {
  const test::RefinedNet net;
  const auto blocks = cut_where_narrow(net.graph, net.table);
  const auto layers = layers_of(net.graph, blocks.at(1), net.placement);
  ASSERT_EQ(layers.size(), 2U);
  EXPECT_EQ(ops_in(net.graph, layers[0]), "Conv Relu");
  EXPECT_EQ(ops_in(net.graph, layers[1]), "Conv") << "the sum is read by the Relu behind it";
  EXPECT_EQ(ops_in(net.graph, up_to(net.graph, blocks[1], layers[1].input)), "Conv Relu");
  EXPECT_EQ(up_to(net.graph, blocks[1], blocks[1].input).nodes.size(), 0U);
}

}  // namespace
}  // namespace octet
