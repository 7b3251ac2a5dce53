// Where channels can be scaled, and that scaling them leaves what the network computes.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "passes/net.h"
#include "quant/channels/equalize.h"
#include "quant/channels/region.h"

namespace octet {
namespace {

using test::Image;
using test::Net;
using test::outputs_for;
using test::relative_error;
using test::Row;

constexpr double kSame = 1e-5;

ValueId conv(Net& n, ValueId x, int64_t in, int64_t out, int64_t size = 1, int64_t groups = 1) {
  const std::vector<int64_t> pads(4, size / 2);
  return n.op("Conv", {x, n.c({out, in / groups, size, size}), n.c({out})},
              {{"pads", pads}, {"group", groups}});
}

ValueId depthwise(Net& n, ValueId x, int64_t channels) {
  return conv(n, x, channels, channels, 3, channels);
}

ValueId relu6(Net& n, ValueId x) { return n.op("Clip", {x, n.number(0), n.number(6)}); }

struct RegionCase {
  std::string_view what;
  Graph (*make)();
  size_t found;
  std::string_view refused;  ///< as `count_refusals` says it
};

const std::vector<RegionCase> kRegions{
    {"a chain",
     [] {
       Image n;
       return n.to({conv(n, n.op("Relu", {conv(n, n.x, 3, 4)}), 4, 2)});
     },
     1, ""},
    {"slopes below 0",
     [] {
       Image n;
       const ValueId leaky = n.op("LeakyRelu", {conv(n, n.x, 3, 4)}, {{"alpha", 0.2F}});
       const ValueId slopes = n.c({4, 1, 1}, 0, 1);
       return n.to({conv(n, n.op("PRelu", {conv(n, leaky, 4, 4), slopes}), 4, 2)});
     },
     2, ""},
    {"pointwise, depthwise, pointwise",
     [] {
       Image n;
       const ValueId wide = n.op("Relu", {conv(n, n.x, 3, 8)});
       return n.to({conv(n, n.op("Relu", {depthwise(n, wide, 8)}), 8, 4)});
     },
     2, ""},
    {"a classifier of pooled channels",
     [] {
       Image n;
       const ValueId pooled = n.op("GlobalAveragePool", {n.op("Relu", {conv(n, n.x, 3, 4)})});
       return n.to({n.op("Gemm", {n.op("Flatten", {pooled}), n.c({4, 3}), n.c({3})})});
     },
     1, ""},
    {"a classifier of pixels",
     [] {
       Image n;
       const ValueId pooled = n.op("MaxPool", {n.op("Relu", {conv(n, n.x, 3, 4)})},
                                   {{"kernel_shape", test::L{2, 2}}, {"strides", test::L{2, 2}}});
       const ValueId rows = n.op("Reshape", {pooled, n.list({-1, 36})});
       return n.to({n.op("Gemm", {rows, n.c({3, 36}), n.c({3})}, {{"transB", int64_t{1}}})});
     },
     1, ""},
    {"rows with an added bias, as channels of an image",
     [] {
       Row n;
       const ValueId wide = n.op("Add", {n.op("MatMul", {n.x, n.c({3, 8})}), n.number(0.5F)});
       const ValueId image = n.op("Reshape", {n.op("Relu", {wide}), n.list({-1, 8, 1, 1})});
       return n.to({conv(n, image, 8, 2)});
     },
     1, ""},
    {"channels last",
     [] {
       Image n;
       const ValueId rows =
           n.op("Transpose", {conv(n, n.x, 3, 4)}, {{"perm", test::L{0, 2, 3, 1}}});
       return n.to({n.op("MatMul", {n.op("Relu", {rows}), n.c({4, 5})})});
     },
     1, ""},
    {"two readers",
     [] {
       Image n;
       const ValueId shared = n.op("Relu", {conv(n, n.x, 3, 4)});
       return n.to({n.op("Mul", {conv(n, shared, 4, 2), conv(n, shared, 4, 2)})});
     },
     1, "Mul (2)"},
    {"a gate that is computed from the channels",
     [] {
       Image n;
       const ValueId wide = n.op("Relu", {conv(n, n.x, 3, 4)});
       const ValueId gate = n.op("Sigmoid", {conv(n, n.op("GlobalAveragePool", {wide}), 4, 4)});
       return n.to({conv(n, n.op("Mul", {wide, gate}), 4, 2)});
     },
     1, "Sigmoid (1)"},
    {"channels that are their own gate",
     [] {
       Image n;
       const ValueId wide = n.op("Relu", {conv(n, n.x, 3, 4)});
       return n.to({conv(n, n.op("Mul", {wide, n.op("GlobalAveragePool", {wide})}), 4, 2)});
     },
     0, "Mul (1)"},
    {"behind HardSwish",
     [] {
       Image n;
       const ValueId swish = n.op("HardSwish", {conv(n, n.x, 3, 4)});
       return n.to({conv(n, n.op("Relu", {conv(n, swish, 4, 4)}), 4, 2)});
     },
     1, "HardSwish (1)"},
    {"behind Relu6",
     [] {
       Image n;
       return n.to({conv(n, relu6(n, conv(n, n.x, 3, 4)), 4, 2)});
     },
     0, "Clip (1)"},
    {"an Add of two",
     [] {
       Image n;
       const ValueId first = conv(n, n.x, 3, 4);
       return n.to({conv(n, n.op("Relu", {n.op("Add", {first, conv(n, n.x, 3, 4)})}), 4, 2)});
     },
     0, "Add (2)"},
    {"a value that is also put out",
     [] {
       Image n;
       const ValueId shown = n.op("Relu", {conv(n, n.x, 3, 4)});
       return n.to({conv(n, shown, 4, 2), shown});
     },
     0, ""},
    {"channels that are cut apart",
     [] {
       Image n;
       const ValueId half =
           n.op("Slice", {conv(n, n.x, 3, 4), n.list({0}), n.list({2}), n.list({1})});
       return n.to({conv(n, half, 2, 2)});
     },
     0, "Slice (1)"},
};

TEST(ChannelRegions, AreFoundAndRefused) {
  for (const RegionCase& row : kRegions) {
    SCOPED_TRACE(row.what);
    Graph graph = row.make();
    infer_shapes(graph);
    const ChannelRegions regions = find_channel_regions(graph);
    EXPECT_EQ(regions.found.size(), row.found);
    EXPECT_EQ(count_refusals(regions.refused), row.refused);
  }
}

TEST(ChannelRegions, AreScaledWithoutAChange) {
  for (const RegionCase& row : kRegions) {
    SCOPED_TRACE(row.what);
    Graph graph = row.make();
    infer_shapes(graph);
    const auto before = outputs_for(graph, test::input_shape(graph));
    for (const ChannelRegion& region : find_channel_regions(graph).found) {
      std::vector<float> scale;
      for (int64_t c = 0; c < region.channels; ++c) scale.push_back(0.3F + static_cast<float>(c));
      rescale_channels(graph, region, scale);
    }
    EXPECT_LE(relative_error(before, outputs_for(graph, test::input_shape(graph))), kSame);
  }
}

TEST(ChannelRegions, OfSeveralMakersAreFoundOnRequest) {
  Image n;
  const ValueId first = conv(n, n.x, 3, 4);
  const ValueId sum = n.op("Add", {first, conv(n, n.op("Relu", {first}), 4, 4)});
  Graph graph = n.to({conv(n, n.op("Relu", {sum}), 4, 2)});
  infer_shapes(graph);
  EXPECT_EQ(find_channel_regions(graph).found.size(), 0u);
  const auto before = outputs_for(graph, test::input_shape(graph));
  EXPECT_EQ(equalize_channels(graph, /*joined=*/true).regions, 1u);
  EXPECT_LE(relative_error(before, outputs_for(graph, test::input_shape(graph))), kSame);
}

TEST(Equalize, MakesTheLargestWeightsOfBothSidesEqual) {
  Image n;
  const ValueId wide = n.op("Relu", {conv(n, n.x, 3, 8)});
  Graph graph = n.to({conv(n, n.op("Relu", {depthwise(n, wide, 8)}), 8, 4)});
  infer_shapes(graph);
  ChannelRegions regions = find_channel_regions(graph);
  std::vector<float> uneven{1, 100, 0.01F, 3, 40, 0.2F, 1, 7};
  rescale_channels(graph, regions.found[0], uneven);
  const auto before = outputs_for(graph, test::input_shape(graph));
  const Equalization done = equalize_channels(graph);
  EXPECT_EQ(done.regions, 2u);
  EXPECT_GT(done.rounds, 1);
  EXPECT_LE(relative_error(before, outputs_for(graph, test::input_shape(graph))), kSame);
  for (const ChannelRegion& region : regions.found) {
    const auto made = largest_made(graph, region);
    const auto read = largest_read(graph, region);
    for (size_t c = 0; c < made.size(); ++c) EXPECT_NEAR(made[c] / read[c], 1, 5e-3) << c;
  }
}

TEST(Equalize, LeavesDeadChannelsAlone) {
  Image n;
  const ValueId first = conv(n, n.x, 3, 4);
  Graph graph = n.to({conv(n, n.op("Relu", {first}), 4, 2)});
  infer_shapes(graph);
  const Node& maker = graph.node(*graph.producer(first));
  const auto dead = graph.value(maker.inputs[1]).constant->as<float>().subspan(3, 3);
  std::ranges::fill(dead, 0.0F);
  const float bias = graph.value(maker.inputs[2]).constant->as<float>()[1];
  equalize_channels(graph);
  EXPECT_EQ(graph.value(maker.inputs[2]).constant->as<float>()[1], bias);
  EXPECT_TRUE(std::isfinite(outputs_for(graph, {1, 3, 6, 6})[0].abs().max().item<float>()));
}

/// A chain of convolutions of drawn kinds, channels and activations, whose channels differ by up to
/// a thousand times.
Graph drawn_chain() {
  Image n;
  ValueId x = n.x;
  int64_t channels = 3;
  const int layers = *rc::gen::inRange(2, 6);
  for (int i = 0; i < layers; ++i) {
    const bool separable = channels > 3 && *rc::gen::arbitrary<bool>();
    const int64_t out = separable ? channels : *rc::gen::inRange<int64_t>(4, 9);
    x = separable ? depthwise(n, x, channels)
                  : conv(n, x, channels, out, *rc::gen::element<int64_t>(1, 3));
    channels = out;
    const int kind = *rc::gen::inRange(0, 4);
    if (kind == 1) x = n.op("Relu", {x});
    if (kind == 2) x = n.op("LeakyRelu", {x}, {{"alpha", 0.1F}});
    if (kind == 3) x = n.op("PRelu", {x, n.c({channels, 1, 1}, 0, 1)});
  }
  return n.to({conv(n, x, channels, 3)});
}

RC_GTEST_PROP(Equalize, KeepsWhatAnyChainComputes, ()) {
  Graph graph = drawn_chain();
  infer_shapes(graph);
  const ChannelRegions regions = find_channel_regions(graph);
  RC_ASSERT(!regions.found.empty());
  for (const ChannelRegion& region : regions.found) {
    std::vector<float> uneven;
    for (int64_t c = 0; c < region.channels; ++c) {
      uneven.push_back(std::exp(static_cast<float>(*rc::gen::inRange(-7, 8)) / 2));
    }
    rescale_channels(graph, region, uneven);
  }
  const auto before = outputs_for(graph, {2, 3, 6, 6});
  equalize_channels(graph);
  RC_ASSERT(relative_error(before, outputs_for(graph, {2, 3, 6, 6})) <= kSame);
}

}  // namespace
}  // namespace octet
