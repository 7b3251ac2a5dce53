// Operators of one input against ONNX Runtime: tables, softmax and pools.

#include "dialects/onnxruntime_case.h"
#include "support/error_of.h"

namespace octet {
namespace {

using namespace test;

using L = std::vector<int64_t>;

Tensor all_integers() {
  Tensor tensor(DType::Int8, {1, 256});
  for (int i = 0; i < 256; ++i)
    tensor.as<int8_t>()[static_cast<size_t>(i)] = static_cast<int8_t>(i - 128);
  return tensor;
}

TEST(OnnxRuntimeDialect, QuantizeLinear) {
  for_cases(200, [](OrtCase& one, int i) {
    const float scale = i % 2 ? one.power_of_two(-20, 20) : 0.125F;
    Tensor real(DType::Float32, {1, one.draw(1, 200)});
    for (float& x : real.as<float>()) {
      // Halves of a step among them, and numbers far outside the grid.
      const int32_t kind = one.draw(0, 9);
      x = scale * 0.5F * static_cast<float>(one.draw(-600, 600));
      if (kind == 0) x *= one.power_of_two(0, 100);
      if (kind == 1) x = one.draw(0, 1) ? INFINITY : -INFINITY;
      if (kind == 2) x = scale * one.power_of_two(-20, 8);
    }
    const QuantParams grid = one.grid(scale);
    one.expect_same("Identity", {one.real_input(real, grid)}, grid, "QuantizeLinear");
  });
}

TEST(OnnxRuntimeDialect, Sigmoid) {
  for_cases(300, [](OrtCase& one, int i) {
    const ValueId x =
        one.input(all_integers(), one.grid(one.power_of_two(i % 4 ? -8 : -20, i % 4 ? 0 : 20)));
    QuantParams out{.scale = {1.0F / 256}, .zero_point = {-128}};
    if (i % 2) out = one.grid(one.power_of_two(-12, -6));
    one.expect_same("Sigmoid", {x}, out, "QLinearSigmoid");
  });
}

TEST(OnnxRuntimeDialect, LeakyRelu) {
  for_cases(200, [](OrtCase& one, int i) {
    const float out = one.power_of_two(-20, 20);
    const ValueId x = one.input(all_integers(), one.grid(out * one.power_of_two(-3, 3)));
    OrtCase::Attributes attributes;
    if (i % 2) attributes["alpha"] = one.power_of_two(-5, 1);
    one.expect_same("LeakyRelu", {x}, one.grid(out), "QLinearLeakyRelu", attributes);
  });
}

TEST(OnnxRuntimeDialect, ReluOnItsOwn) {
  for_cases(200, [](OrtCase& one, int) {
    const float out = one.power_of_two(-20, 20);
    const ValueId x = one.input(all_integers(), one.grid(out * one.power_of_two(-3, 3)));
    one.read_elsewhere(x);
    one.expect_same("Relu", {x}, one.grid(out), "");
  });
}

TEST(OnnxRuntimeDialect, ClipOnItsOwn) {
  for_cases(200, [](OrtCase& one, int) {
    const float out = one.power_of_two(-20, 20);
    const ValueId x = one.input(all_integers(), one.grid(out * one.power_of_two(-3, 3)));
    const float low = out * static_cast<float>(one.draw(-100, 0)) * 0.7F;
    const float high = out * static_cast<float>(one.draw(0, 100)) * 0.7F;
    one.read_elsewhere(x);
    one.expect_same("Clip",
                    {x, one.parameter(Tensor::scalar(low)), one.parameter(Tensor::scalar(high))},
                    one.grid(out), "");
  });
}

TEST(OnnxRuntimeDialect, AnotherGrid) {
  for_cases(300, [](OrtCase& one, int i) {
    const float out = one.power_of_two(-20, 20);
    const float spread = i % 2 ? 20 : 2;
    const ValueId x = one.input(all_integers(), one.grid(out * one.power_of_two(-spread, spread)));
    one.read_elsewhere(x);
    one.expect_same("Identity", {x}, one.grid(out), "");
  });
}

TEST(OnnxRuntimeDialect, Softmax) {
  for_cases(400, [](OrtCase& one, int i) {
    const Shape shape = i % 3 == 0   ? Shape{40, one.draw(1, 70)}
                        : i % 3 == 1 ? Shape{3, one.draw(1, 1000)}
                                     : Shape{2, 9, one.draw(1, 20)};
    const ValueId x =
        one.input(shape, one.grid(one.power_of_two(i % 5 ? -8 : -20, i % 5 ? 0 : 20)));
    QuantParams out{.scale = {i % 2 ? 1.0F / 255 : 1.0F / 256}, .zero_point = {-128}};
    if (i % 4 == 3)
      out = {.scale = {one.power_of_two(-12, -4)}, .zero_point = {one.draw(-128, 127)}};
    OrtCase::Attributes attributes;
    if (i % 3 == 2) attributes["axis"] = int64_t{one.draw(-3, 2)};
    one.expect_same("Softmax", {x}, out, "QLinearSoftmax", attributes);
  });
}

TEST(OnnxRuntimeDialect, GlobalAveragePool) {
  for_cases(300, [](OrtCase& one, int i) {
    const float in = one.power_of_two(-20, 20);
    const ValueId x = one.input({one.draw(1, 3), one.draw(1, 70), one.draw(1, 12), one.draw(1, 12)},
                                one.grid(in));
    const float ratio = i % 4 == 3 ? one.power_of_two(-20, 7.9F) : one.power_of_two(-2, 3);
    one.expect_same("GlobalAveragePool", {x}, one.grid(in / ratio), "QLinearGlobalAveragePool");
  });
}

TEST(OnnxRuntimeDialect, AveragePool) {
  for_cases(400, [](OrtCase& one, int i) {
    const int64_t rows = one.draw(1, 4), columns = one.draw(1, 4);
    const float in = i % 3 ? one.power_of_two(-20, 20) : 0.0625F;
    const ValueId x = one.input(
        {one.draw(1, 3), one.draw(1, 70), rows + one.draw(0, 8), columns + one.draw(0, 8)},
        one.grid(in));
    const float ratio =
        i % 3 ? (i % 4 == 3 ? one.power_of_two(-20, 7.9F) : one.power_of_two(-2, 3)) : 2;
    const bool counts = i % 2 != 0;
    const auto pad = [&](int64_t kernel) {
      return int64_t{one.draw(0, static_cast<int32_t>(kernel - 1))};
    };
    L pads{pad(rows), pad(columns), pad(rows), pad(columns)};
    if (i % 5 == 0) pads = {0, 0, 0, 0};
    one.expect_same("AveragePool", {x}, one.grid(in / ratio), "QLinearAveragePool",
                    {{"kernel_shape", L{rows, columns}},
                     {"strides", L{one.draw(1, 3), one.draw(1, 3)}},
                     {"pads", pads},
                     {"ceil_mode", int64_t{i % 7 == 0}},
                     {"count_include_pad", int64_t{counts}}});
  });
}

TEST(OnnxRuntimeDialect, AveragePoolRefusesDilations) {
  OrtCase one(1);
  const ValueId x = one.input({1, 2, 7, 7}, one.grid(0.3F));
  EXPECT_EQ(message_of([&] {
              one.expect_same("AveragePool", {x}, one.grid(0.1F), "QLinearAveragePool",
                              {{"kernel_shape", L{3, 2}}, {"dilations", L{2, 2}}});
            }),
            "node \"AveragePool\" (AveragePool): it has dilations, which ONNX Runtime refuses in "
            "integers; lower it to a convolution");
}

TEST(OnnxRuntimeDialect, PoolsOfOneAndThreeDimensions) {
  for_cases(60, [](OrtCase& one, int i) {
    const size_t rank = i % 2 ? 1 : 3;
    Shape shape{2, one.draw(1, 20)};
    for (size_t d = 0; d < rank; ++d) shape.push_back(one.draw(3, 6));
    const ValueId x = one.input(shape, one.grid(0.3F));
    const QuantParams out = one.grid(one.power_of_two(-3, -1));
    if (i % 3 == 0)
      return one.expect_same("GlobalAveragePool", {x}, out, "QLinearGlobalAveragePool");
    one.expect_same("AveragePool", {x}, out, "QLinearAveragePool",
                    {{"kernel_shape", L(rank, one.draw(1, 3))}, {"strides", L(rank, 2)}});
  });
}

}  // namespace
}  // namespace octet
