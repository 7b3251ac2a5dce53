// Heads of linear attention, scaled so that their divisors are alike.

#include "quant/channels/attention_heads.h"

#include <gtest/gtest.h>

#include "networks/builder.h"
#include "networks/linear_attention.h"
#include "passes/net.h"
#include "quant/channels/statistics.h"
#include "quant/channels/weights.h"

namespace octet {
namespace {

/// Two batches of eight drawn images.
NextImages attended_images() {
  return [left = 2](std::vector<float>& images) mutable -> int64_t {
    if (left == 0) return 0;
    const Tensor drawn = test::random_tensor({8, 3, 6, 6}, static_cast<unsigned>(left--), -2, 2);
    images.assign(drawn.as<float>().begin(), drawn.as<float>().end());
    return 8;
  };
}

/// An attention of four heads, two of which see their neighbours' channels, over 6x6 pixels: linear
/// where `head`, the channels of one, are fewer.
Graph attention_network(int64_t head) {
  NetworkBuilder net({{3, 6, 6}, 3, 1.0}, 1);
  const ValueId x = net.conv("stem", net.input(), 2 * head, {.kernel = 3, .bias = true});
  const ValueId y = linear_attention(net, "attention", x, head);
  Graph graph =
      net.finish(net.linear("classifier", net.flatten("rows", net.global_pool("pool", y)), 3));
  infer_shapes(graph);
  return graph;
}

/// The largest divisor of each head.
std::vector<float> divisors(const Graph& graph, int64_t heads) {
  ValueId divisor = kAbsent;
  for (const NodeId id : graph.order()) {
    if (graph.node(id).op == "Div") divisor = graph.node(id).inputs[1];
  }
  const Shape& shape = graph.value(divisor).shape;
  const auto seen = observe_channels(
      graph, {{divisor, {.channels = heads, .inner = shape[2] * shape[3]}}}, attended_images());
  std::vector<float> largest;
  for (const ChannelStatistics& head : seen.at(divisor)) largest.push_back(head.high);
  return largest;
}

/// Makes the heads unlike: the weights of all queries, keys and values times a number per head.
void unbalance(Graph& graph, int64_t head) {
  for (const NodeId id : graph.order()) {
    const std::string& name = graph.node(id).name;
    if (!name.ends_with(".qkv") && !name.ends_with(".aggregate.pointwise")) continue;
    const ChannelEnd maker{id, *made_layout(graph, graph.node(id))};
    std::vector<float> factors;
    for (int64_t c = 0; c < maker.layout.channels; ++c) {
      factors.push_back(c / (3 * head) == 0 ? 0.6F : 1.5F);
    }
    scale_made(graph, maker, factors);
  }
}

TEST(AttentionHeads, GetDivisorsAlike) {
  for (const int64_t head : {int64_t{8}, int64_t{40}}) {
    SCOPED_TRACE(head < 36 ? "linear" : "by pairs");
    Graph graph = attention_network(head);
    unbalance(graph, head);
    const std::vector<float> before = divisors(graph, 4);
    EXPECT_GT(std::ranges::max(before) / std::ranges::min(before), 5);
    const auto outputs = test::outputs_for(graph, {2, 3, 6, 6});
    const HeadEqualization done = equalize_heads(graph, [] { return attended_images(); }, 0.5);
    EXPECT_EQ(done.attentions, 1u);
    EXPECT_EQ(done.equalized, 1u);
    EXPECT_NEAR(done.spread, std::ranges::max(before) / std::ranges::min(before), 1e-3);
    const std::vector<float> after = divisors(graph, 4);
    for (const float divisor : after) EXPECT_NEAR(divisor / after[0], 1, 1e-3);
    EXPECT_LE(test::relative_error(outputs, test::outputs_for(graph, {2, 3, 6, 6})), 1e-4);
  }
}

TEST(AttentionHeads, AreLeftAloneWhereTheyAreReadElsewhere) {
  Graph graph = attention_network(8);
  for (const NodeId id : graph.order()) {  // a query that nothing rectifies
    Node& node = graph.node(id);
    if (node.name.ends_with(".query.act")) node.op = "Sigmoid";
  }
  const auto outputs = test::outputs_for(graph, {2, 3, 6, 6});
  const HeadEqualization done = equalize_heads(graph, [] { return attended_images(); }, 0.5);
  EXPECT_EQ(done.equalized, 0u);
  EXPECT_EQ(test::relative_error(outputs, test::outputs_for(graph, {2, 3, 6, 6})), 0);
}

/// An epsilon that counts: the quotient is another when heads are scaled, so the change is undone.
TEST(AttentionHeads, AreAsTheyWereWhereTheNetworkWouldChange) {
  Graph graph = attention_network(8);
  unbalance(graph, 8);
  for (const NodeId id : graph.order()) {
    if (!graph.node(id).name.ends_with(".epsilon")) continue;
    graph.value(graph.node(id).inputs[1]).constant = Tensor::scalar(100);
  }
  const auto outputs = test::outputs_for(graph, {2, 3, 6, 6});
  const HeadEqualization done = equalize_heads(graph, [] { return attended_images(); }, 0.5);
  EXPECT_EQ(done.attentions, 1u);
  EXPECT_EQ(done.equalized, 0u);
  EXPECT_EQ(test::relative_error(outputs, test::outputs_for(graph, {2, 3, 6, 6})), 0);
}

}  // namespace
}  // namespace octet
