#include "eval/comparison.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "eval/image_layout.h"
#include "pipeline/small_networks.h"
#include "pipeline/tampered_file.h"
#include "support/error_of.h"

namespace octet {
namespace {

using namespace test;

/// A small network with one of its files.
struct Deployed {
  Deployed(const Quantized& quantized_network, bool onnx_file)
      : network(quantized_network), onnx(onnx_file) {
    write_file(path, onnx ? write_onnx(network.graph, network.table)
                          : write_tflite(network.graph, network.table));
  }

  std::vector<HeldValue> held() const {
    return onnx ? held_by_onnx(network.graph, network.table)
                : held_by_tflite(network.graph, network.table);
  }
  SideBySide compare() const {
    const auto look = look_into(path, held());
    const DrawnImages images;
    return compare_values(*look,
                          {.graph = network.graph,
                           .placement = network.placement,
                           .table = network.table,
                           .dialect = onnx ? onnxruntime_dialect() : tflite_dialect(),
                           .dataset = images,
                           .images = {7, 2, 3, 9, 0, 4}},
                          {});
  }
  std::string name(const ValueComparison& held) const {
    return network.graph.value(held.value).name;
  }

  const Quantized& network;
  bool onnx;
  TempFolder folder;
  std::filesystem::path path = folder / (onnx ? "n.onnx" : "n.tflite");
};

TEST(SideBySide, FindsEveryIntegerOfBothFilesEqualToTheSimulation) {
  for (const NamedNetwork& row : kSmallNetworks) {
    const Quantized network = quantized(row.build);
    for (const bool onnx : {true, false}) {
      SCOPED_TRACE(std::string(row.name) + (onnx ? ", ONNX" : ", TFLite"));
      const Deployed deployed(network, onnx);
      const SideBySide found = deployed.compare();
      EXPECT_EQ(found.images, 6);
      EXPECT_EQ(found.same_as_simulated, 6);
      EXPECT_EQ(found.values.size(), deployed.held().size());
      for (const ValueComparison& value : found.values) {
        EXPECT_EQ(value.differing, 0) << deployed.name(value);
        EXPECT_EQ(value.largest, 0) << deployed.name(value);
        EXPECT_GT(value.sqnr(), 3) << deployed.name(value);
        EXPECT_TRUE(std::isfinite(value.sqnr())) << deployed.name(value);
      }
      // The first is the input; the elements of all images are counted.
      EXPECT_EQ(deployed.name(found.values.front()), "x");
      EXPECT_EQ(found.values.front().elements, 6 * 108);
    }
  }
}

/// Which values a file holds: everything of the table but constants, and in ONNX what is rescaled.
TEST(SideBySide, LooksAtEveryValueThatTheFileHolds) {
  const Quantized network = quantized(activated);
  std::set<std::string> computed;
  for (const auto& [id, params] : network.table.values()) {
    if (network.graph.is_constant(id) || params.origin == Origin::Derived) continue;
    computed.insert(network.graph.value(id).name);
  }
  std::set<std::string> compared;
  const Deployed deployed(network, true);
  for (const ValueComparison& value : deployed.compare().values) {
    compared.insert(deployed.name(value));
  }
  EXPECT_EQ(compared, computed);
}

TEST(SideBySide, NamesTheFirstValueOfATamperedFile) {
  const Quantized network = quantized(activated);
  const Graph& graph = network.graph;
  // The weight of the second convolution, whose result is that of its Relu.
  std::string weight;
  std::string result;
  for (const NodeId id : graph.order()) {
    if (graph.node(id).op != "Relu") continue;
    weight = graph.value(graph.node(*graph.producer(graph.node(id).inputs[0])).inputs[1]).name;
    result = graph.value(graph.node(id).outputs[0]).name;
  }
  for (const bool onnx : {true, false}) {
    SCOPED_TRACE(onnx ? "ONNX" : "TFLite");
    const Deployed deployed(network, onnx);
    if (onnx) {
      tamper_onnx(deployed.path, weight + "/quantized");
    } else {
      tamper_tflite(deployed.path, weight);
    }
    const SideBySide found = deployed.compare();
    const auto first = std::ranges::find_if(
        found.values, [](const ValueComparison& value) { return value.differing > 0; });
    ASSERT_NE(first, found.values.end());
    EXPECT_EQ(deployed.name(*first), result);
    EXPECT_GT(first->largest, 1);
    EXPECT_NE(first->deployed, first->simulated);
    EXPECT_LE(first->differing, first->elements / 4) << "one of four channels";
  }
}

TEST(SideBySide, RefusesAFileWhoseValuesHaveOtherShapes) {
  const Quantized network = quantized(activated);
  const Quantized other = quantized([](SmallNet& n) {
    const ValueId a = n.op("HardSwish", {n.mixed(n.x, 8)});
    const ValueId b =
        n.op("Relu", {n.op("Conv", {a, n.c({8, 8, 3, 3}), n.c({8})}, {{"pads", L{1, 1, 1, 1}}})});
    const ValueId pooled = n.op("GlobalAveragePool", {n.op("Add", {a, b})});
    return n.op("Gemm", {n.op("Flatten", {pooled}), n.c({3, 8}), n.c({3})},
                {{"transB", int64_t{1}}});
  });
  for (const bool onnx : {true, false}) {
    Deployed deployed(network, onnx);
    write_file(deployed.path, onnx ? write_onnx(other.graph, other.table)
                                   : write_tflite(other.graph, other.table));
    const Error error = error_of([&] { deployed.compare(); });
    EXPECT_EQ(error.code(), Code::Model);
    EXPECT_STREQ(
        error.what(),
        "the value 'Conv_0' is 6x8x6x6 in the file, 6x4x6x6 in the network: it is the file "
        "of another network; give the network that it was made from");
  }
}

TEST(SideBySide, RefusesImagesThatDoNotFit) {
  struct Wide : DrawnImages {
    Shape shape() const override { return {3, 6, 7}; }
  };
  const Quantized network = quantized(cubic);
  const Deployed deployed(network, true);
  const auto look = look_into(deployed.path, deployed.held());
  const Wide wide;
  const DrawnImages drawn;
  const auto compare = [&](const Dataset& images, std::vector<int64_t> order) {
    return message_of([&] {
      compare_values(*look,
                     {network.graph, network.placement, network.table, onnxruntime_dialect(),
                      images, std::move(order)},
                     {});
    });
  };
  EXPECT_EQ(compare(wide, {0}),
            "the images are 3x6x7, the network wants 3x6x6; set 'size' and 'channels' in the data "
            "description, or use other data");
  EXPECT_EQ(compare(drawn, {}), "there are 0 images to compare with; the file takes 1 at a time");
}

TEST(ImageLayout, MovesChannels) {
  const std::vector<float> images{1, 2, 3, 10, 20, 30, 4, 5, 6, 40, 50, 60};
  EXPECT_EQ(channels_last(images, {2, 1, 3}),
            (std::vector<float>{1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60}));
  EXPECT_TRUE(wants_channels_last({1, 3, 2}, {2, 1, 3}));
  EXPECT_FALSE(wants_channels_last({2, 1, 3}, {2, 1, 3}));
}

}  // namespace
}  // namespace octet
