// Convolutions and products of matrices: the dialects against TFLite, integer by integer.
#include "dialects/tflite_case.h"

namespace octet {
namespace {

using test::TfliteCase;
using Ints = std::vector<int64_t>;

/// A grid on which most sums of `count` products are inside, or far too fine or coarse at times:
/// the multipliers of sums are from 2^-20 to 2^20.
QuantParams fitting(TfliteCase& net, float in, float weight, int64_t count) {
  const float natural = in * weight * 64 * std::sqrt(static_cast<float>(count));
  const int kind = net.draw(0, 9);
  if (kind == 0) return net.grid(in * weight * net.power(-19, 0));
  if (kind == 1) return net.grid(in * weight * net.power(10, 20));
  return net.grid(natural * net.power(-2, 2));
}

struct ConvShape {
  int64_t group = 1;
  int64_t in = 1;
  int64_t out = 1;
};

std::map<std::string, Attribute> draw_window(TfliteCase& net, int64_t group) {
  const int64_t dilation = net.draw(0, 3) == 0 ? 2 : 1;
  std::map<std::string, Attribute> attributes{{"group", group},
                                              {"dilations", Ints{dilation, dilation}},
                                              {"strides", Ints{net.draw(1, 2), net.draw(1, 3)}}};
  if (net.draw(0, 1) == 0) {
    attributes["auto_pad"] = std::string("SAME_UPPER");
  } else {
    attributes["pads"] = Ints{net.draw(0, 2), net.draw(0, 2), net.draw(0, 2), net.draw(0, 2)};
  }
  return attributes;
}

/// A random window over a random image; the activation too is drawn.
void compare_conv(unsigned seed, ConvShape (*draw_shape)(TfliteCase&)) {
  SCOPED_TRACE(seed);
  TfliteCase net(seed);
  const ConvShape shape = draw_shape(net);
  const float in = net.power(-20, 20);
  const float scale = net.power(-20, 20);
  const Shape window{shape.out, shape.in / shape.group, net.draw(1, 3), net.draw(1, 4)};
  const ValueId x = net.input({1, shape.in, net.draw(7, 12), net.draw(7, 13)}, net.grid(in));
  const ValueId w = net.weight(window, 0, scale);
  std::vector<ValueId> inputs{x, w};
  if (net.draw(0, 3) > 0) {
    inputs.push_back(net.bias(x, w, net.draw(0, 4) == 0 ? 2147480000.0 : 10000.0));
  }
  net.node("Conv", inputs, draw_window(net, shape.group));
  const QuantParams out = fitting(net, in, scale, window[1] * window[2] * window[3]);
  net.draw_activation(out);
  net.write(out);
  net.expect_equal();
}

TEST(TfliteDialect, ComputesDenseConvolutions) {
  for (unsigned seed = 0; seed < 120; ++seed) {
    compare_conv(seed, [](TfliteCase& net) {
      return ConvShape{.in = net.draw(1, 70), .out = net.draw(1, 70)};
    });
  }
}

TEST(TfliteDialect, ComputesGroupedConvolutions) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    compare_conv(seed, [](TfliteCase& net) {
      const int group = net.draw(2, 4);
      return ConvShape{.group = group, .in = group * net.draw(2, 9), .out = group * net.draw(1, 8)};
    });
  }
}

TEST(TfliteDialect, ComputesDepthwiseConvolutions) {
  for (unsigned seed = 0; seed < 120; ++seed) {
    compare_conv(seed, [](TfliteCase& net) {
      const int channels = net.draw(2, 70);
      return ConvShape{.group = channels, .in = channels, .out = channels * net.draw(1, 3)};
    });
  }
}

TEST(TfliteDialect, ComputesTransposedConvolutions) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    const float in = net.power(-20, 20);
    const float scale = net.power(-20, 20);
    const Shape shape{1, net.draw(1, 40), net.draw(1, 7), net.draw(1, 7)};
    const Shape window{shape[1], net.draw(2, 40), net.draw(2, 4), net.draw(2, 4)};
    const int stride = net.draw(1, 2);
    const ValueId x = net.input(shape, net.grid(in));
    const ValueId w = net.weight(window, 1, scale);
    const ValueId b = net.bias(x, w, 10000.0);
    net.node("ConvTranspose", {x, w, b}, {{"strides", Ints{stride, stride}}});
    const Shape out{1, window[1], (shape[2] - 1) * stride + window[2],
                    (shape[3] - 1) * stride + window[3]};
    tflite::TransposeConvOptionsT options;
    options.padding = tflite::Padding_VALID;
    options.stride_h = options.stride_w = stride;
    const std::vector<int32_t> extents{1, static_cast<int32_t>(out[2]),
                                       static_cast<int32_t>(out[3]), static_cast<int32_t>(out[1])};
    net.write_as(tflite::BuiltinOperator_TRANSPOSE_CONV, 3, options,
                 fitting(net, in, scale, shape[1] * 4), out,
                 {{.numbers = extents},
                  {.value = w, .permutation = {1, 2, 3, 0}},
                  {.value = x},
                  {.value = b}});
    net.expect_equal();
  }
}

TEST(TfliteDialect, ComputesFullyConnectedLayers) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    const float in = net.power(-20, 20);
    const float scale = net.power(-20, 20);
    const int64_t depth = net.draw(1, 300);
    const int64_t count = net.draw(1, 70);
    const bool tokens = net.draw(0, 1) == 0;
    const Shape shape = tokens ? Shape{1, net.draw(1, 9), depth} : Shape{1, depth};
    const ValueId x = net.input(shape, net.grid(in));
    if (tokens) {
      net.node("MatMul", {x, net.weight({depth, count}, 1, scale)});
    } else {
      const ValueId w = net.weight({count, depth}, 0, scale);
      net.node("Gemm", {x, w, net.bias(x, w, 20000.0)}, {{"transB", int64_t{1}}});
    }
    const QuantParams out = fitting(net, in, scale, depth);
    if (net.draw(0, 2) == 0) net.activation(0, std::numeric_limits<float>::infinity());
    net.write(out);
    EXPECT_EQ(net.operators(), tokens ? "FULLY_CONNECTED RESHAPE" : "FULLY_CONNECTED");
    net.expect_equal();
  }
}

TEST(TfliteDialect, ComputesProductsOfActivations) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    const float left = net.power(-20, 20);
    const float right = net.power(-20, 20);
    const int64_t depth = net.draw(1, 80);
    const int64_t batch = net.draw(1, 3);
    const ValueId a = net.input({batch, net.draw(1, 20), depth}, net.grid(left));
    const ValueId b = net.input({batch, depth, net.draw(1, 20)}, net.grid(right));
    net.node("MatMul", {a, b});
    net.write(fitting(net, left, right, depth));
    EXPECT_EQ(net.operators(), "BATCH_MATMUL");
    net.expect_equal();
  }
}

}  // namespace
}  // namespace octet
