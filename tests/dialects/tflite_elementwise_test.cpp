// Sums, differences and products of two tensors: the dialects against TFLite.
#include "dialects/tflite_case.h"

namespace octet {
namespace {

using test::TfliteCase;

/// Two shapes that broadcast to the first.
std::pair<Shape, Shape> shapes(TfliteCase& net) {
  const Shape whole{1, net.draw(1, 70), net.draw(1, 6), net.draw(1, 7)};
  switch (net.draw(0, 4)) {
    case 0: return {whole, {1, whole[1], 1, 1}};
    case 1: return {whole, {1, 1, whole[2], whole[3]}};
    case 2: return {whole, {1, 1, 1, 1}};
    default: return {whole, whole};
  }
}

/// The result's grid is up to 2^`finest` finer and 2^20 coarser than what is natural.
void compare_pair(const char* op, unsigned seed, double finest) {
  TfliteCase net(seed);
  const auto [whole, part] = shapes(net);
  const float left = net.power(-20, 20);
  const float right = left * net.power(-10, 10);
  const bool product = op == std::string_view("Mul");
  const ValueId a = net.input(whole, net.grid(left));
  const ValueId b = net.input(part, net.grid(right));
  const bool swapped = net.draw(0, 1) == 0;
  net.node(op, swapped ? std::vector{b, a} : std::vector{a, b});
  const float natural = product ? left * right * 90 : std::max(left, right);
  const bool extreme = net.draw(0, 5) == 0;
  const QuantParams out = net.grid(natural * (extreme ? net.power(-finest, 20) : net.power(-2, 2)));
  net.draw_activation(out);
  net.write(out);
  net.expect_equal();
}

TEST(TfliteDialect, AddsTensors) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    compare_pair("Add", seed, 18.9);
  }
}

TEST(TfliteDialect, SubtractsTensors) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    compare_pair("Sub", seed, 18.9);
  }
}

TEST(TfliteDialect, SumsOfMuchCoarserTensorsAreNoneOfTflites) {
  // What check_ratios refuses: TFLite ends the process.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (const char* op : {"Add", "Sub"}) {
    EXPECT_DEATH(
        {
          TfliteCase net(1);
          const ValueId a = net.input({1, 2, 3, 3}, {.scale = {1}, .zero_point = {0}});
          const ValueId b = net.input({1, 2, 3, 3}, {.scale = {0.5F}, .zero_point = {0}});
          net.node(op, {a, b});
          net.write({.scale = {std::exp2(-19.0F)}, .zero_point = {0}});
          net.expect_equal();
        },
        "")
        << op;
  }
}

TEST(TfliteDialect, MultipliesTensors) {
  for (unsigned seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    compare_pair("Mul", seed, 26);
  }
}

TEST(TfliteDialect, MultipliesByANumberWithoutAGrid) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    QuantParams grid = net.grid(net.power(-20, 20));
    const ValueId x = net.input({1, 8, 8, 8}, grid);
    const float factor = net.power(-8, 8);
    net.node("Mul", {x, net.parameter(Tensor::scalar(factor))});
    grid.scale[0] = static_cast<float>(static_cast<double>(grid.scale[0]) * factor);
    net.write(grid);
    net.expect_equal();
  }
}

TEST(TfliteDialect, AppliesPRelu) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    const Shape shape{1, net.draw(1, 70), net.draw(1, 5), net.draw(1, 5)};
    const float in = net.power(-20, 20);
    const float slope = net.power(-9, -5);
    const ValueId x = net.input(shape, net.grid(in));
    const ValueId w = net.input({1, shape[1], 1, 1}, net.grid(slope));
    net.node("PRelu", {x, w});
    net.write_as(tflite::BuiltinOperator_PRELU, 1, tflite::AbsOptionsT{},
                 net.grid(in * net.power(-2, 2)), shape);
    net.expect_equal();
  }
}

TEST(TfliteDialect, TakesTheLargerAndTheSmaller) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    TfliteCase net(seed);
    const Shape shape{1, net.draw(1, 9), 5, 5};
    const QuantParams grid = net.grid(net.power(-20, 20));
    const ValueId a = net.input(shape, grid);
    const ValueId b = net.input({1, shape[1], 1, 1}, grid);
    const bool largest = seed % 2 == 0;
    net.node(largest ? "Max" : "Min", {a, b});
    net.write_as(largest ? tflite::BuiltinOperator_MAXIMUM : tflite::BuiltinOperator_MINIMUM, 2,
                 tflite::MaximumMinimumOptionsT{}, grid, shape);
    net.expect_equal();
  }
}

}  // namespace
}  // namespace octet
