// QLinearAdd, QLinearMul, QLinearWhere and QLinearConcat against ONNX Runtime.

#include "dialects/onnxruntime_case.h"

namespace octet {
namespace {

using namespace test;

/// Pairs of shapes that broadcast in every way in which ONNX Runtime forms its spans.
const std::vector<std::pair<Shape, Shape>>& shape_pairs() {
  static const std::vector<std::pair<Shape, Shape>> all{{{1, 3, 5, 7}, {1, 3, 5, 7}},
                                                        {{2, 16, 8, 8}, {2, 16, 8, 8}},
                                                        {{1, 7, 5, 5}, {7, 1, 1}},
                                                        {{7, 1, 1}, {1, 7, 5, 5}},
                                                        {{2, 5, 6, 6}, {2, 5, 1, 1}},
                                                        {{2, 5, 1, 1}, {2, 5, 6, 6}},
                                                        {{1, 70, 1, 1}, {1, 70, 1, 1}},
                                                        {{3, 33}, {33}},
                                                        {{33}, {3, 33}},
                                                        {{1, 4, 9, 9}, {1}},
                                                        {{1}, {1, 4, 9, 9}},
                                                        {{1, 1, 5, 5}, {1, 6, 1, 1}},
                                                        {{1, 6, 1, 1}, {1, 1, 5, 5}},
                                                        {{40, 1}, {40, 1}},
                                                        {{1, 1}, {1, 1}},
                                                        {{9, 1, 1}, {1}},
                                                        {{1}, {9, 1, 1}},
                                                        {{2, 64, 32, 32}, {2, 64, 32, 32}}};
  return all;
}

/// The ratio of the scales is what most kernels multiply by.
void draw_scales(OrtCase& one, float& a, float& b, float& out, float spread) {
  out = one.power_of_two(-20, 20);
  a = out * one.power_of_two(-spread, spread);
  b = out * one.power_of_two(-spread, spread);
}

TEST(OnnxRuntimeDialect, Add) {
  for_cases(300, [](OrtCase& one, int i) {
    const auto& [a_shape, b_shape] = shape_pairs()[static_cast<size_t>(i) % shape_pairs().size()];
    float a, b, out;
    draw_scales(one, a, b, out, i < 200 ? 2 : 20);
    const ValueId x = one.input(a_shape, one.grid(a));
    const ValueId y = one.input(b_shape, one.grid(b));
    one.expect_same("Add", {x, y}, one.grid(out), "QLinearAdd");
  });
}

TEST(OnnxRuntimeDialect, AddOnPlainGrids) {
  // Scales like 1/255 and powers of two: many sums are halfway between two integers.
  for_cases(200, [](OrtCase& one, int i) {
    const auto& [a_shape, b_shape] = shape_pairs()[static_cast<size_t>(i) % shape_pairs().size()];
    const float base = i % 2 ? 1.0F / 255 : 0.0625F;
    const ValueId x = one.input(a_shape, one.grid(base * static_cast<float>(one.draw(1, 4))));
    const ValueId y = one.input(b_shape, one.grid(base * static_cast<float>(one.draw(1, 4))));
    one.expect_same("Add", {x, y}, one.grid(base * 2), "QLinearAdd");
  });
}

TEST(OnnxRuntimeDialect, AddOfConstant) {
  for_cases(40, [](OrtCase& one, int i) {
    const auto& [a_shape, b_shape] = shape_pairs()[static_cast<size_t>(i) % shape_pairs().size()];
    float a, b, out;
    draw_scales(one, a, b, out, 2);
    const ValueId x = one.input(a_shape, one.grid(a));
    const ValueId y = one.constant(b_shape, one.grid(b));
    one.expect_same("Add", i % 2 ? std::vector{y, x} : std::vector{x, y}, one.grid(out),
                    "QLinearAdd");
  });
}

TEST(OnnxRuntimeDialect, Mul) {
  for_cases(300, [](OrtCase& one, int i) {
    const auto& [a_shape, b_shape] = shape_pairs()[static_cast<size_t>(i) % shape_pairs().size()];
    const float a = one.power_of_two(-10, 8);
    const float b = one.power_of_two(-10, 8);
    const float ratio = i < 200 ? one.power_of_two(-9, -5) : one.power_of_two(-20, 20);
    const ValueId x = one.input(a_shape, one.grid(a));
    const ValueId y = one.input(b_shape, one.grid(b));
    one.expect_same("Mul", {x, y}, one.grid(a * b / ratio), "QLinearMul");
  });
}

TEST(OnnxRuntimeDialect, MulOnPlainGrids) {
  for_cases(60, [](OrtCase& one, int i) {
    const auto& [a_shape, b_shape] = shape_pairs()[static_cast<size_t>(i) % shape_pairs().size()];
    const ValueId x = one.input(a_shape, one.grid(0.0625F));
    const ValueId y = one.input(b_shape, one.grid(1.0F / 256));
    one.expect_same("Mul", {x, y}, one.grid(i % 2 ? 0.03125F : 0.0625F), "QLinearMul");
  });
}

TEST(OnnxRuntimeDialect, ConcatOnGridsOfTheirOwn) {
  for_cases(60, [](OrtCase& one, int i) {
    const float out = one.power_of_two(-20, 20);
    const QuantParams grid = one.grid(out);
    std::vector<ValueId> parts;
    const int count = one.draw(1, 4);
    for (int part = 0; part < count; ++part) {
      const bool same = one.draw(0, 3) == 0;
      parts.push_back(one.input({2, one.draw(1, 9), 5, 7},
                                same ? grid : one.grid(out * one.power_of_two(-3, 3))));
    }
    (void)i;
    one.expect_same("Concat", parts, grid, "QLinearConcat", {{"axis", int64_t{1}}});
  });
}

TEST(OnnxRuntimeDialect, Where) {
  for_cases(60, [](OrtCase& one, int i) {
    const auto& [a_shape, b_shape] = shape_pairs()[static_cast<size_t>(i) % shape_pairs().size()];
    Tensor condition(DType::Bool, i % 3 ? a_shape : b_shape);
    for (std::byte& held : condition.bytes) held = static_cast<std::byte>(one.draw(0, 1));
    const float scale = one.power_of_two(-20, 20);
    const QuantParams out = one.grid(scale);
    const ValueId chosen = one.parameter(condition);
    const ValueId x = one.input(a_shape, i % 4 ? one.grid(scale * one.power_of_two(-3, 3)) : out);
    const ValueId y = one.input(b_shape, one.grid(scale * one.power_of_two(-3, 3)));
    one.expect_same("Where", {chosen, x, y}, out, "QLinearWhere");
  });
}

}  // namespace
}  // namespace octet
