#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "formats/tflite/writer.h"
#include "formats/tflite_op.h"
#include "support/error_of.h"
#include "support/graph_builder.h"
#include "support/tflite_network.h"

namespace octet {
namespace {

using test::activation_grid;
using test::channels_last;
using test::clip;
using test::NetworkBuilder;
using test::random_tensor;
using test::TfliteNetwork;
using Ints = std::vector<int64_t>;

ValueId conv(NetworkBuilder& net, ValueId x, Shape weight) {
  const int64_t count = weight[0];
  return net.weighted("Conv", x, std::move(weight), 0, count, {{"pads", Ints{1, 1, 1, 1}}});
}

TEST(TfliteWriter, ConvAgreesWithIntegerArithmetic) {
  NetworkBuilder network;
  const Tensor image = random_tensor({1, 2, 4, 4}, 5);
  const ValueId x = network.input({-1, 2, 4, 4});
  const ValueId out = conv(network, x, {3, 2, 3, 3});
  network.finish(out, image);
  const std::vector<float> got =
      TfliteNetwork(network.graph, network.table).session().run(channels_last(image), 1);

  const Node& node = network.graph.node(0);
  const auto integers = [&](ValueId id, const Tensor& real) {
    return quantize(real, *network.table.find(id));
  };
  const Tensor in = integers(x, image);
  const Tensor weight = integers(node.inputs[1], *network.graph.value(node.inputs[1]).constant);
  const Tensor bias = integers(node.inputs[2], *network.graph.value(node.inputs[2]).constant);
  const QuantParams& from = *network.table.find(x);
  const QuantParams& into = *network.table.find(out);
  for (int c = 0; c < 3; ++c) {
    for (int row = 0; row < 4; ++row) {
      for (int column = 0; column < 4; ++column) {
        int32_t sum = bias.as<int32_t>()[c];
        for (int k = 0; k < 18; ++k) {  // input channel, kernel row, kernel column
          const int y = row + k / 3 % 3 - 1;
          const int z = column + k % 3 - 1;
          if (y < 0 || y > 3 || z < 0 || z > 3) continue;
          const int pixel = in.as<int8_t>()[k / 9 * 16 + y * 4 + z] - from.zero_point[0];
          sum += pixel * weight.as<int8_t>()[c * 18 + k];
        }
        const double scale = network.table.find(node.inputs[1])->scale[c];
        const double real = sum * scale * from.scale[0];
        const double wanted =
            std::clamp(std::nearbyint(real / into.scale[0]) + into.zero_point[0], -128.0, 127.0);
        const double held = got[(row * 4 + column) * 3 + c] / into.scale[0] + into.zero_point[0];
        EXPECT_NEAR(held, wanted, 1.001);
      }
    }
  }
}

TEST(TfliteWriter, ProductWithANumberKeepsTheIntegers) {
  for (const float factor : {1.0F / 6, 0.3333F, 1.0F, 2.0F, 0.001F, 1000.0F}) {
    NetworkBuilder network;
    Tensor image(DType::Float32, {1, 1, 16, 16});
    QuantParams params{.scale = {0.03F}, .zero_point = {-7}};
    for (int i = 0; i < 256; ++i) image.as<float>()[i] = 0.03F * static_cast<float>(i - 128 + 7);
    const ValueId x = network.input({-1, 1, 16, 16}, params);
    params.scale[0] = static_cast<float>(0.03F * static_cast<double>(factor));
    params.origin = Origin::Derived;
    const ValueId out =
        network.op_on(params, "Mul", {x, network.parameter(Tensor::scalar(factor))});
    network.finish(out, image);
    const std::vector<float> got =
        TfliteNetwork(network.graph, network.table).session().run(image.as<float>(), 1);
    for (int i = 0; i < 256; ++i) {
      EXPECT_EQ(std::nearbyint(got[i] / params.scale[0]), i - 128 + 7) << factor;
    }
  }
}

TEST(TfliteWriter, ComputesInIntegersFromEndToEnd) {
  NetworkBuilder network;
  const ValueId x = network.input({-1, 3, 16, 16});
  const ValueId hidden = network.op("Relu", {network.inside(conv(network, x, {8, 3, 3, 3}))});
  const ValueId flat = network.move("Flatten", {network.op("GlobalAveragePool", {hidden})});
  const ValueId out = network.weighted("Gemm", flat, {8, 10}, 1, 10);
  network.finish(out, random_tensor({1, 3, 16, 16}, 7));
  TfliteNetwork opened(network.graph, network.table);
  EXPECT_EQ(opened.session().image_shape(), (Shape{16, 16, 3}));
  EXPECT_EQ(opened.session().class_count(), 10);
  const auto uses = opened.session().operators();
  for (size_t i = 0; i < uses.size(); ++i) {
    EXPECT_EQ(uses[i].arithmetic, i + 1 < uses.size() ? "int8" : "float32") << uses[i].node;
  }
  EXPECT_EQ(uses.front().node, "x");
  EXPECT_EQ(uses.back().node, network.graph.value(out).name + "_float");
}

TEST(TfliteWriter, WritesTheSameBytes) {
  NetworkBuilder network;
  const ValueId x = network.input({-1, 3, 8, 8});
  network.finish(conv(network, x, {4, 3, 3, 3}), random_tensor({1, 3, 8, 8}, 7));
  const auto bytes = write_tflite(network.graph, network.table);
  EXPECT_EQ(bytes, write_tflite(network.graph, network.table));
}

struct Refusal {
  const char* name;
  std::function<ValueId(NetworkBuilder&, ValueId)> build;
  const char* message;
};

const Refusal kRefusals[] = {
    {"UnknownOperator", [](auto& net, ValueId x) { return net.op("HardSigmoid", {x}); },
     "tflite: node \"HardSigmoid0\" (HardSigmoid): TFLite has no int8 form of it that octet "
     "writes"},
    {"OddBounds",
     [](auto& net, ValueId x) { return net.on(clip(net, x, 0, 0.5F), activation_grid(-2, 2)); },
     "tflite: node \"Clip0\" (Clip): TFLite cannot clip to [0, 0.5], and the output's integers do "
     "not end there"},
    {"OddBoundsInside",
     [](auto& net, ValueId x) {
       return net.on(clip(net, net.inside(net.op("Add", {x, x})), 0, 0.5F), activation_grid(-1, 1));
     },
     "tflite: node \"Clip1\" (Clip): TFLite cannot clip the output of node \"Add0\" (Add) to "
     "[0, 0.5]: no fused activation has these bounds, and the output's integers do not end there"},
    {"DifferentGrids",
     [](auto& net, ValueId x) { return net.on(net.move("Flatten", {x}), activation_grid(-2, 2)); },
     "tflite: node \"Flatten0\" (Flatten): its input 'x' and its output have different scales"},
    {"NoParameters",
     [](auto& net, ValueId x) { return net.op("Relu", {net.inside(net.op("Tanh", {x}))}); },
     "tflite: node \"Tanh0\" (Tanh): the value 'Tanh0' has no quantization parameters"},
};

TEST(TfliteWriter, RefusesWhatTfliteCannotSay) {
  for (const Refusal& held : kRefusals) {
    NetworkBuilder network;
    const ValueId out = held.build(network, network.input({-1, 3, 4, 4}));
    network.finish(out, random_tensor({1, 3, 4, 4}, 7));
    const Error error = error_of([&] { write_tflite(network.graph, network.table); });
    EXPECT_STREQ(error.what(), held.message) << held.name;
    EXPECT_EQ(error.code(), Code::Unsupported);
  }
}

}  // namespace
}  // namespace octet
