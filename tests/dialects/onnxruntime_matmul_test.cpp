// QLinearConv, QGemm and QLinearMatMul against ONNX Runtime.

#include "dialects/onnxruntime_case.h"

namespace octet {
namespace {

using namespace test;

using L = std::vector<int64_t>;

/// Output scale such that the multiplier of the sums is about `ratio`.
float output_scale(const OrtCase& one, ValueId x, ValueId w, float ratio) {
  return one.table.find(x)->scale[0] * one.table.find(w)->scale[0] / ratio;
}

/// Mostly ratios that use the output's range; some that saturate all, or leave nothing.
float draw_ratio(OrtCase& one, int i) {
  return i % 4 == 3 ? one.power_of_two(-20, 20) : one.power_of_two(-12, -6);
}

struct Shapes {
  int64_t batch, in, out, height, width, kernel, group;
};

Shapes draw_shapes(OrtCase& one, int i) {
  const int64_t kernel = one.draw(1, 5);
  Shapes s{one.draw(1, 2),
           one.draw(1, 70),
           one.draw(1, 70),
           kernel + one.draw(0, 7),
           kernel + one.draw(0, 9),
           kernel,
           1};
  if (i % 3 == 1) s.group = s.out = s.in;  // depthwise
  if (i % 9 == 2) {
    s.group = one.draw(2, 4);
    s.in = s.group * one.draw(1, 9);
    s.out = s.group * one.draw(1, 9);
  }
  return s;
}

TEST(OnnxRuntimeDialect, Conv) {
  for_cases(400, [](OrtCase& one, int i) {
    const Shapes s = draw_shapes(one, i);
    const ValueId x =
        one.input({s.batch, s.in, s.height, s.width}, one.grid(one.power_of_two(-20, 20)));
    const ValueId w =
        one.weight({s.out, s.in / s.group, s.kernel, s.kernel}, 0, one.power_of_two(-12, 0));
    std::vector<ValueId> inputs{x, w};
    if (i % 2) inputs.push_back(one.bias(x, w, s.out, one.power_of_two(4, 20)));
    const int64_t stride = one.draw(1, 2);
    const int64_t dilation = s.kernel <= 3 && s.height >= 5 && s.width >= 5 ? one.draw(1, 2) : 1;
    const QuantParams out = one.grid(output_scale(one, x, w, draw_ratio(one, i)));
    one.expect_same("Conv", inputs, out, "QLinearConv",
                    {{"group", s.group},
                     {"strides", L{stride, stride}},
                     {"dilations", L{dilation, dilation}},
                     {"pads", L{one.draw(0, 2), one.draw(0, 2), one.draw(0, 2), one.draw(0, 2)}}});
  });
}

TEST(OnnxRuntimeDialect, ConvOfOneAndThreeDimensions) {
  for_cases(30, [](OrtCase& one, int i) {
    const size_t rank = i % 2 ? 1 : 3;
    Shape image{2, 6};
    Shape kernel{5, 6};
    for (size_t d = 0; d < rank; ++d) {
      image.push_back(one.draw(3, 6));
      kernel.push_back(one.draw(1, 3));
    }
    const ValueId x = one.input(image, one.grid(0.3F));
    const ValueId w = one.weight(kernel, 0, 0.01F);
    const ValueId b = one.bias(x, w, 5, 10000);
    const QuantParams out = one.grid(output_scale(one, x, w, draw_ratio(one, i)));
    one.expect_same("Conv", {x, w, b}, out, "QLinearConv");
  });
}

TEST(OnnxRuntimeDialect, ConvBeyondFloat) {
  // Sums that floats cannot hold, and that saturate 32 bits with their bias.
  for_cases(24, [](OrtCase& one, int i) {
    QuantParams grid = one.grid(0.5F);
    if (i % 3 == 0) grid.zero_point = {i % 2 ? 127 : -128};
    const ValueId x = one.input({1, 70 * (1 + i % 8), 6, 7}, grid);
    QuantParams weights{.axis = 0, .low = -127, .high = 127, .scale = {}, .zero_point = {}};
    for (int c = 0; c < 5; ++c) {
      weights.scale.push_back(std::exp2(-static_cast<float>(c)));
      weights.zero_point.push_back(0);
    }
    const ValueId w = one.constant({5, 70 * (1 + i % 8), 3, 3}, weights);
    std::vector<ValueId> inputs{x, w};
    if (i >= 8) inputs.push_back(one.bias(x, w, 5, 2147483392.0F));
    one.expect_same("Conv", inputs, one.grid(one.power_of_two(10, 22)), "QLinearConv");
  });
}

TEST(OnnxRuntimeDialect, ConvOfComputedSums) {
  // Multipliers that are powers of two: many results lie halfway between two integers.
  for_cases(40, [](OrtCase& one, int) {
    const ValueId x = one.input({1, 3, 6, 6}, one.grid(1));
    QuantParams weights{
        .axis = 0, .low = -127, .high = 127, .scale = {1, 0.5F}, .zero_point = {0, 0}};
    const ValueId w = one.constant({2, 3, 3, 3}, weights);
    one.expect_same("Conv", {x, w}, one.grid(256), "QLinearConv");
  });
}

TEST(OnnxRuntimeDialect, ConvWithItsClip) {
  for_cases(60, [](OrtCase& one, int i) {
    const ValueId x = one.input({1, 5, 6, 6}, one.grid(0.1F));
    const ValueId w = one.weight({7, 5, 3, 3}, 0, 0.01F);
    one.bounds = i % 2 ? std::pair(0.0F, 6.0F) : std::pair(-1.0F, 1.0F);
    // The grid ends where the bounds do, or before.
    const float high = one.bounds.second * (i % 3 ? 1 : one.power_of_two(-2, 0));
    const float low = i % 2 ? 0 : -high;
    const QuantParams grid{.scale = {(high - low) / 255}, .zero_point = {i % 2 ? -128 : 0}};
    if (i % 2 == 0) one.bounds = {-2 * high, 2 * high};
    one.expect_same("Conv", {x, w}, grid, "QLinearConv");
  });
}

TEST(OnnxRuntimeDialect, BoundsInsideTheGrid) {
  Graph graph;
  const Node node{.name = "n", .op = "Conv", .inputs = {}, .outputs = {}, .attributes = {}};
  const QuantParams one{.low = -127, .scale = {1}, .zero_point = {0}};
  const QuantParams out{.scale = {0.5F}, .zero_point = {3}};
  const std::vector<const QuantParams*> grids{&one, &one};
  const std::vector<at::Tensor> inputs{
      at::tensor({-100, -2, -1, 0, 1, 2, 3, 100}, at::kInt).view({1, 1, 1, 8}),
      at::tensor({1}, at::kInt).view({1, 1, 1, 1})};
  const at::Tensor result =
      onnxruntime_dialect().find("Conv")({graph, node, inputs, grids, out, {-0.8F, 2.2F}});
  const std::vector<int32_t> wanted{1, 1, 1, 3, 5, 7, 7, 7};
  EXPECT_EQ(
      std::vector<int32_t>(result.const_data_ptr<int32_t>(), result.const_data_ptr<int32_t>() + 8),
      wanted);
}

TEST(OnnxRuntimeDialect, Gemm) {
  for_cases(200, [](OrtCase& one, int i) {
    const int64_t rows = one.draw(1, 9), in = one.draw(1, 300), out = one.draw(1, 70);
    const bool transposed = i % 2 != 0;
    const ValueId x = one.input({rows, in}, one.grid(one.power_of_two(-20, 20)));
    const ValueId w = transposed ? one.weight({out, in}, 0, one.power_of_two(-12, 0))
                                 : one.weight({in, out}, 1, one.power_of_two(-12, 0));
    std::vector<ValueId> inputs{x, w};
    if (i % 3) inputs.push_back(one.bias(x, w, out, one.power_of_two(4, 20)));
    const QuantParams grid = one.grid(output_scale(one, x, w, draw_ratio(one, i)));
    one.expect_same("Gemm", inputs, grid, "QGemm", {{"transB", int64_t{transposed}}});
  });
}

TEST(OnnxRuntimeDialect, GemmWithFactor) {
  for_cases(20, [](OrtCase& one, int) {
    const ValueId x = one.input({3, 33}, one.grid(0.37F));
    const ValueId w = one.weight({33, 17}, 1, 0.01F);
    one.expect_same("Gemm", {x, w}, one.grid(one.power_of_two(0, 3)), "QGemm", {{"alpha", 0.3F}});
  });
}

TEST(OnnxRuntimeDialect, MatMulWithWeight) {
  for_cases(100, [](OrtCase& one, int i) {
    const int64_t in = one.draw(1, 200), out = one.draw(1, 70);
    const Shape shape = i % 2 ? Shape{2, one.draw(1, 9), in} : Shape{one.draw(1, 9), in};
    const ValueId x = one.input(shape, one.grid(one.power_of_two(-20, 20)));
    const ValueId w = one.weight({in, out}, 1, one.power_of_two(-12, 0));
    const QuantParams grid = one.grid(output_scale(one, x, w, draw_ratio(one, i)));
    one.expect_same("MatMul", {x, w}, grid, "QLinearMatMul");
  });
}

TEST(OnnxRuntimeDialect, MatMulOfActivations) {
  for_cases(100, [](OrtCase& one, int i) {
    const int64_t in = one.draw(1, 200), rows = one.draw(1, 40), out = one.draw(1, 70);
    const Shape a = i % 3 == 0 ? Shape{rows, in} : Shape{2, 3, rows, in};
    const Shape b = i % 3 == 1   ? Shape{2, 3, in, out}
                    : i % 3 == 2 ? Shape{3, in, out}
                                 : Shape{in, out};
    const ValueId x = one.input(a, one.grid(one.power_of_two(-20, 20)));
    const ValueId y = one.input(b, one.grid(one.power_of_two(-12, 12)));
    const QuantParams grid = one.grid(output_scale(one, x, y, draw_ratio(one, i)));
    one.expect_same("MatMul", {x, y}, grid, "QLinearMatMul");
  });
}

}  // namespace
}  // namespace octet
