// 16-bit activations with 8-bit weights: the dialect against both sets of TFLite's kernels.
#include "dialects/tflite_case.h"

namespace octet {
namespace {

using test::TfliteCase;
using Ints = std::vector<int64_t>;
using Attributes = std::map<std::string, Attribute>;

/// The grid on which sums of `count` products are mostly inside, or mostly far outside, or fine.
QuantParams wide_fitting(TfliteCase& net, float in, float weight, int64_t count) {
  const float natural = in * weight * 64 * std::sqrt(static_cast<float>(count));
  const int kind = net.draw(0, 9);
  if (kind == 0) return TfliteCase::wide_grid(natural * net.power(-7, -3));
  if (kind == 1) return TfliteCase::wide_grid(natural * net.power(4, 15));
  return TfliteCase::wide_grid(natural * net.power(-2, 2));
}

/// All 65,536 integers.
at::Tensor all_int16() {
  at::Tensor integers = at::empty({1, 65536}, at::kInt);
  for (int i = 0; i < 65536; ++i) integers.mutable_data_ptr<int32_t>()[i] = i - 32768;
  return integers;
}

void compare_conv(unsigned seed, int64_t group, int64_t in, int64_t out) {
  SCOPED_TRACE(seed);
  TfliteCase net(seed);
  const float scale = net.power(-20, 20);
  const float weight = net.power(-20, 20);
  const Shape window{out, in / group, net.draw(1, 3), net.draw(1, 3)};
  const ValueId x =
      net.input({1, in, net.draw(5, 8), net.draw(5, 8)}, TfliteCase::wide_grid(scale));
  const ValueId w = net.weight(window, 0, weight);
  std::vector<ValueId> inputs{x, w};
  if (seed % 4 > 0) inputs.push_back(net.bias(x, w, seed % 5 == 0 ? 2147480000.0 : 1e6));
  net.node("Conv", inputs,
           {{"group", group},
            {"strides", Ints{net.draw(1, 2), net.draw(1, 2)}},
            {"pads", Ints{net.draw(0, 1), net.draw(0, 1), net.draw(0, 1), net.draw(0, 1)}}});
  const QuantParams grid = wide_fitting(net, scale, weight, window[1] * window[2] * window[3]);
  net.draw_activation(grid);
  net.write(grid);
  net.expect_equal();
}

TEST(TfliteInt16Dialect, ComputesConvolutions) {
  for (unsigned seed = 0; seed < 40; ++seed) compare_conv(seed, 1, 1 + seed % 23, 1 + seed % 19);
  for (unsigned seed = 0; seed < 20; ++seed) compare_conv(seed, 3, 6, 9);
  for (unsigned seed = 0; seed < 20; ++seed) compare_conv(seed, 5, 5, 5 * (1 + seed % 2));
}

TEST(TfliteInt16Dialect, SumsBeyondThirtyTwoBits) {
  TfliteCase net(1);
  const ValueId x = net.input({1, 4000}, TfliteCase::wide_grid(1));
  const ValueId w = net.weight({3, 4000}, 0, 1);
  net.node("Gemm", {x, w, net.bias(x, w, 2147480000.0)}, {{"transB", int64_t{1}}});
  net.write(TfliteCase::wide_grid(60000));
  net.expect_equal();
}

TEST(TfliteInt16Dialect, ComputesTransposedConvolutions) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    const float scale = net.power(-10, 10);
    const ValueId x = net.input({1, 3, 5, 4}, TfliteCase::wide_grid(scale));
    const ValueId w = net.weight({3, 4, 2, 2}, 1, 0.01F);
    net.node("ConvTranspose", {x, w, net.bias(x, w, 1e6)}, {{"strides", Ints{2, 2}}});
    net.write(wide_fitting(net, scale, 0.01F, 12));
    net.expect_equal();
  }
}

TEST(TfliteInt16Dialect, ComputesFullyConnectedLayers) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    const float in = net.power(-20, 20);
    const float scale = net.power(-20, 20);
    const int64_t depth = net.draw(1, 300);
    const int64_t count = net.draw(1, 40);
    const ValueId x = net.input({1, net.draw(1, 5), depth}, TfliteCase::wide_grid(in));
    net.node("MatMul", {x, net.weight({depth, count}, 1, scale)});
    const QuantParams out = wide_fitting(net, in, scale, depth);
    if (seed % 3 == 0) net.activation(0, std::numeric_limits<float>::infinity());
    net.write(out);
    net.expect_equal();
  }
}

TEST(TfliteInt16Dialect, ComputesProductsOfActivations) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    const float left = net.power(-20, 20);
    const float right = net.power(-20, 20);
    const int64_t depth = net.draw(1, 80);
    const int64_t batch = net.draw(1, 3);
    const ValueId a = net.input({batch, net.draw(1, 9), depth}, TfliteCase::wide_grid(left));
    const ValueId b = net.input({batch, depth, net.draw(1, 9)}, TfliteCase::wide_grid(right));
    net.node("MatMul", {a, b});
    net.write(wide_fitting(net, left, right * 256, depth));
    EXPECT_EQ(net.operators(), "BATCH_MATMUL");
    net.expect_equal();
  }
}

void compare_pair(const char* op, unsigned seed) {
  SCOPED_TRACE(std::format("{} {}", op, seed));
  TfliteCase net(seed);
  const Shape whole{1, net.draw(1, 30), net.draw(1, 6), net.draw(1, 7)};
  const Shape part = seed % 3 == 0 ? Shape{1, whole[1], 1, 1} : whole;
  const float left = net.power(-20, 20);
  const float right = left * net.power(-8, 8);
  const ValueId a = net.input(whole, TfliteCase::wide_grid(left));
  const ValueId b = net.input(part, TfliteCase::wide_grid(right));
  net.node(op, seed % 2 == 0 ? std::vector{b, a} : std::vector{a, b});
  const bool product = op == std::string_view("Mul");
  const float natural = product ? left * right * 23000 : std::max(left, right);
  const QuantParams out = TfliteCase::wide_grid(natural * net.power(-3, seed % 6 == 0 ? 12 : 3));
  net.draw_activation(out);
  net.write(out);
  net.expect_equal();
}

TEST(TfliteInt16Dialect, AddsSubtractsAndMultiplies) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    for (const char* op : {"Add", "Sub", "Mul"}) compare_pair(op, seed);
  }
}

TEST(TfliteInt16Dialect, MultipliesByANumberWithoutAGrid) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    QuantParams grid = TfliteCase::wide_grid(net.power(-20, 10));
    const ValueId x = net.input_of(all_int16(), grid);
    const float factor = net.power(-8, 8);
    net.node("Mul", {x, net.parameter(Tensor::scalar(factor))});
    grid.scale[0] = static_cast<float>(static_cast<double>(grid.scale[0]) * factor);
    net.write(grid);
    net.expect_equal();
  }
}

TEST(TfliteInt16Dialect, ComputesSigmoidAndTanhOfAllIntegers) {
  for (const char* op : {"Sigmoid", "Tanh"}) {
    for (unsigned seed = 0; seed < 40; ++seed) {
      TfliteCase net(seed);
      // Powers of two have an arithmetic of their own.
      const float scale = seed < 8 ? std::exp2(-static_cast<float>(seed) - 8) : net.power(-20, 2);
      SCOPED_TRACE(std::format("{} {}", op, scale));
      const ValueId x = net.input_of(all_int16(), TfliteCase::wide_grid(scale));
      net.node(op, {x});
      net.write(TfliteCase::wide_grid(1.0F / 32768));
      // Only the default kernels compute powers of two without their table.
      net.expect_equal(seed < 8 ? std::vector{false} : std::vector{false, true});
    }
  }
}

TEST(TfliteInt16Dialect, ComputesReluAndLeakyReluOfAllIntegers) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    const float scale = net.power(-20, 10);
    const ValueId x = net.input_of(all_int16(), TfliteCase::wide_grid(scale));
    const float out = seed % 3 == 0 ? scale : scale * net.power(-3, 3);
    switch (seed % 4) {
      case 0: net.node("Relu", {x}); break;
      case 1: net.node("LeakyRelu", {x}, {{"alpha", net.power(-9, 0)}}); break;
      default:
        net.node("Clip", {x, net.parameter(Tensor::scalar(0)),
                          net.parameter(Tensor::scalar(seed % 4 == 2 ? 6.0F : out * 32767))});
    }
    net.write(TfliteCase::wide_grid(out));
    net.expect_equal();
  }
}

TEST(TfliteInt16Dialect, ComputesSoftmax) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    const Shape shape{1, net.draw(1, 12), net.draw(1, 200)};
    const ValueId x = net.input(shape, TfliteCase::wide_grid(net.power(-18, -6)));
    net.node("Softmax", {x}, {{"axis", int64_t{-1}}});
    net.write(TfliteCase::wide_grid(1.0F / 32768));
    net.expect_equal();
  }
}

TEST(TfliteInt16Dialect, AveragesAndReduces) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    const QuantParams grid = TfliteCase::wide_grid(net.power(-20, 10));
    const ValueId x = net.input({1, net.draw(1, 20), 6, 7}, grid);
    QuantParams out = grid;
    switch (seed % 4) {
      case 0: net.node("GlobalAveragePool", {x}); break;
      case 1: net.node("ReduceMean", {x, net.parameter(Tensor::vector(Ints{1}))}); break;
      case 2: net.node("ReduceMean", {x, net.parameter(Tensor::vector(Ints{2, 3}))}); break;
      default:
        net.node("AveragePool", {x},
                 {{"kernel_shape", Ints{3, 2}}, {"strides", Ints{net.draw(1, 2), 2}}});
    }
    if (seed % 4 != 3) out.scale[0] *= net.power(-4, 1);
    net.write(out);
    net.expect_equal();
  }
}

TEST(TfliteInt16Dialect, InterpolatesImages) {
  for (unsigned seed = 0; seed < 24; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    const QuantParams grid = TfliteCase::wide_grid(net.power(-20, 10));
    const ValueId x = net.input({1, net.draw(1, 9), 6, 7}, grid);
    const char* const modes[]{"half_pixel", "align_corners", "asymmetric"};
    net.node("Resize",
             {x, kAbsent, kAbsent, net.parameter(Tensor::vector(Ints{net.draw(3, 15), 14}))},
             {{"mode", std::string("linear")},
              {"axes", Ints{2, 3}},
              {"coordinate_transformation_mode", std::string(modes[seed % 3])}});
    net.write(grid);
    net.expect_equal();
  }
}

}  // namespace
}  // namespace octet
