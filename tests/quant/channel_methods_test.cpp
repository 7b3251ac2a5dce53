// The methods that scale or shift channels by what images show, and what files tell of them.

#include <gtest/gtest.h>

#include "passes/net.h"
#include "quant/channels/absorb_bias.h"
#include "quant/channels/migrate.h"
#include "quant/channels/prepared.h"
#include "quant/channels/statistics.h"
#include "quant/channels/unclip.h"
#include "support/error_of.h"

namespace octet {
namespace {

using test::Image;
using test::Net;
using test::outputs_for;
using test::relative_error;

constexpr int64_t kBatch = 8;

/// `batches` drawn batches of 3x6x6 images.
NextImages drawn_images(int batches = 3) {
  return [left = batches](std::vector<float>& images) mutable -> int64_t {
    if (left == 0) return 0;
    const Tensor drawn =
        test::random_tensor({kBatch, 3, 6, 6}, static_cast<unsigned>(left--), -2, 2);
    images.assign(drawn.as<float>().begin(), drawn.as<float>().end());
    return kBatch;
  };
}

ValueId pointwise(Net& n, ValueId x, int64_t in, int64_t out, std::vector<int64_t> pads,
                  float bias = 0) {
  return n.op("Conv", {x, n.c({out, in, 1, 1}), n.c({out}, bias, bias + 1)},
              {{"pads", std::move(pads)}});
}
const std::vector<int64_t> kUnpadded(4, 0);

struct TwoConvs {
  Graph graph;
  ValueId made = kAbsent;
};

/// Conv with a bias of `bias` or more, an activation, Conv.
TwoConvs two_convs(float bias, const std::string& activation,
                   std::vector<int64_t> pads = kUnpadded) {
  Image n;
  TwoConvs net;
  net.made = pointwise(n, n.x, 3, 4, kUnpadded, bias);
  std::vector<ValueId> inputs{net.made};
  if (activation == "Clip") inputs = {net.made, n.number(0), n.number(6)};
  net.graph = n.to({pointwise(n, n.op(activation, inputs), 4, 2, std::move(pads))});
  infer_shapes(net.graph);
  return net;
}

TEST(ChannelStatistics, AreThoseOfAllImages) {
  const TwoConvs net = two_convs(0, "Relu");
  const ValueId x = net.graph.inputs()[0];
  const auto seen =
      observe_channels(net.graph, {{x, {.channels = 3, .inner = 36}}}, drawn_images());
  std::vector<float> images;
  std::vector<float> second;
  const NextImages again = drawn_images();
  while (again(images) > 0) {
    for (size_t i = 0; i < images.size(); ++i) {
      if (i / 36 % 3 == 1) second.push_back(images[i]);
    }
  }
  const auto [low, high] = std::ranges::minmax(second);
  double sum = 0;
  for (const float value : second) sum += value;
  const ChannelStatistics& channel = seen.at(x)[1];
  EXPECT_EQ(channel.low, low);
  EXPECT_EQ(channel.high, high);
  EXPECT_EQ(channel.count, std::ssize(second));
  EXPECT_NEAR(channel.mean(), sum / static_cast<double>(second.size()), 1e-6);
  EXPECT_NEAR(channel.deviation(), 4 / std::sqrt(12.0), 0.05) << "even numbers in [-2, 2]";
}

TEST(ChannelStatistics, WantImages) {
  const TwoConvs net = two_convs(0, "Relu");
  Interpretation plain;
  EXPECT_EQ(message_of([&] { predictions(net.graph, drawn_images(0), plain); }),
            "there are no images to look at");
}

TEST(AbsorbBias, MovesWhatAllValuesAreAbove) {
  for (const char* activation : {"Relu", "LeakyRelu"}) {
    TwoConvs net = two_convs(20, activation);
    const auto before = outputs_for(net.graph, {2, 3, 6, 6});
    const Absorption done = absorb_biases(net.graph, drawn_images());
    EXPECT_EQ(done.places, 1u);
    EXPECT_EQ(done.channels, 4u);
    EXPECT_LE(relative_error(before, outputs_for(net.graph, {2, 3, 6, 6})), 1e-5) << activation;
    const auto seen =
        observe_channels(net.graph, {{net.made, {.channels = 4, .inner = 36}}}, drawn_images());
    for (const ChannelStatistics& channel : seen.at(net.made)) {
      EXPECT_NEAR(channel.mean(), 3 * channel.deviation(), 1e-3);
    }
  }
}

TEST(AbsorbBias, GivesABiasWhereThereIsNone) {
  TwoConvs net = two_convs(20, "Relu");
  Node& reader = net.graph.node(net.graph.order().back());
  reader.inputs.resize(2);
  const auto before = outputs_for(net.graph, {2, 3, 6, 6});
  const PreparedStructure fused(net.graph);
  absorb_biases(net.graph, drawn_images());
  EXPECT_LE(relative_error(before, outputs_for(net.graph, {2, 3, 6, 6})), 1e-5);
  EXPECT_EQ(fused.changes(net.graph), "bias:" + reader.name);
}

TEST(AbsorbBias, LeavesAloneWhatItWouldChange) {
  TwoConvs padded = two_convs(20, "Relu", {1, 1, 1, 1});
  const auto before = outputs_for(padded.graph, {2, 3, 6, 6});
  EXPECT_EQ(absorb_biases(padded.graph, drawn_images()).padded, 1u);
  EXPECT_EQ(relative_error(before, outputs_for(padded.graph, {2, 3, 6, 6})), 0);
  TwoConvs low = two_convs(-1, "Relu");
  EXPECT_EQ(absorb_biases(low.graph, drawn_images()).channels, 0u);
  TwoConvs swish = two_convs(20, "HardSwish");
  EXPECT_EQ(absorb_biases(swish.graph, drawn_images()).places, 0u);
}

TEST(Migrate, MakesChannelsOfValuesAlike) {
  TwoConvs net = two_convs(1, "Relu");
  const ChannelRegion region = find_channel_regions(net.graph).found.at(0);
  rescale_channels(net.graph, region, std::vector<float>{1, 300, 0.02F, 5});
  const auto before = outputs_for(net.graph, {2, 3, 6, 6});
  const Migration done = migrate_channels(net.graph, drawn_images(), 1);
  EXPECT_EQ(done.regions, 1u);
  EXPECT_GT(done.spread, 10);
  EXPECT_NEAR(done.evened, 1, 1e-4);
  EXPECT_LE(relative_error(before, outputs_for(net.graph, {2, 3, 6, 6})), 1e-5);
  const auto seen =
      observe_channels(net.graph, {{net.made, {.channels = 4, .inner = 36}}}, drawn_images());
  for (const ChannelStatistics& channel : seen.at(net.made)) {
    EXPECT_NEAR(channel.high / seen.at(net.made)[0].high, 1, 1e-3);
  }
}

/// Equation 4 of SmoothQuant at alpha 0 makes the readers' weights alike, whatever the values.
TEST(Migrate, ByNothingEvensTheWeights) {
  TwoConvs net = two_convs(1, "Relu");
  migrate_channels(net.graph, drawn_images(), 0);
  const auto read = largest_read(net.graph, find_channel_regions(net.graph).found.at(0));
  for (const float weight : read) EXPECT_NEAR(weight / read[0], 1, 1e-4);
}

TEST(Unclip, TakesIdleClipsForRelu) {
  TwoConvs net = two_convs(0, "Clip");
  const PreparedStructure fused(net.graph);
  const Graph before = net.graph;
  const Unclipping done = replace_harmless_clips(net.graph, [] { return drawn_images(); });
  EXPECT_EQ(done.clips, 1u);
  EXPECT_EQ(done.replaced, 1u);
  EXPECT_EQ(done.images, 3 * kBatch);
  EXPECT_EQ(done.changed, 0);
  EXPECT_EQ(fused.changes(net.graph), "relu:" + net.graph.node(net.graph.order()[1]).name);
  Graph again = before;
  prepare_structure(again, fused.changes(net.graph));
  EXPECT_EQ(test::ops_of(again), "Conv Relu Conv");
}

/// Logits are far from one another in the channels that are clipped.
TEST(Unclip, LeavesClipsThatMatter) {
  TwoConvs net = two_convs(5.5F, "Clip");
  const Unclipping done = replace_harmless_clips(net.graph, [] { return drawn_images(); });
  EXPECT_EQ(done.clips, 1u);
  EXPECT_EQ(done.replaced, 0u);
  EXPECT_EQ(done.changed, 0);
  EXPECT_EQ(test::ops_of(net.graph), "Conv Clip Conv");
}

TEST(Unclip, TakesThoseThatClipLeastFirst) {
  Image n;
  const auto clip = [&](ValueId x) { return n.op("Clip", {x, n.number(0), n.number(6)}); };
  const ValueId busy = clip(pointwise(n, n.x, 3, 4, kUnpadded, 5.5F));
  const ValueId idle = clip(pointwise(n, busy, 4, 4, kUnpadded, -30));
  Graph graph = n.to({pointwise(n, idle, 4, 2, kUnpadded)});
  infer_shapes(graph);
  const Unclipping done = replace_harmless_clips(graph, [] { return drawn_images(); });
  EXPECT_EQ(done.clips, 2u);
  EXPECT_GE(done.replaced, 1u);
  EXPECT_EQ(graph.node(*graph.producer(idle)).op, "Relu");
}

TEST(PreparedStructure, IsRefusedWhereItDoesNotFit) {
  for (const char* change : {"relu:Conv_0", "relu:missing", "bias:Conv_0", "twice:Conv_0"}) {
    TwoConvs net = two_convs(0, "Clip");
    EXPECT_EQ(
        message_of([&] { prepare_structure(net.graph, change); }),
        std::string("the network cannot be changed by '") + change + "', as the file says it was");
  }
}

}  // namespace
}  // namespace octet
