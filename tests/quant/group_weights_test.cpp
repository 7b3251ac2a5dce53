#include "quant/group_weights.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "quant/scheme_text.h"
#include "support/error_of.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

using test::random_tensor;

std::vector<float> drawn(int64_t count, float low, float high) {
  const auto seed = *rc::gen::inRange(0U, 100000U);
  const Tensor tensor = random_tensor({count}, seed, low, high);
  return {tensor.as<float>().begin(), tensor.as<float>().end()};
}

Scheme::Groups any_groups() {
  return {.bits = *rc::gen::elementOf(kGroupBits),
          .size = *rc::gen::elementOf(kGroupSizes),
          .symmetric = *rc::gen::arbitrary<bool>()};
}

RC_GTEST_PROP(GroupWeights, AreTheNearestCodesOfTheirGroup, ()) {
  const Scheme::Groups groups = any_groups();
  const int64_t inputs = *rc::gen::inRange(1, 300);
  const auto weights =
      drawn(3 * inputs, *rc::gen::element(-1.0F, 0.5F, -1e-6F), *rc::gen::element(1.0F, 30.0F));
  const GroupedWeights made = round_in_groups(weights, 3, groups);
  RC_ASSERT(made.grid.symmetric() || !groups.symmetric);
  const auto real = dequantize(made.codes, made.grid);
  RC_ASSERT(quantize(real, made.grid) == made.codes);
  for (size_t i = 0; i < weights.size(); ++i) {
    const auto group = i / static_cast<size_t>(inputs) * static_cast<size_t>(made.grid.groups()) +
                       i % static_cast<size_t>(inputs) / static_cast<size_t>(groups.size);
    const float scale = made.grid.scale[group];
    RC_ASSERT(scale > 0);
    const bool clipped = made.codes[i] == 0 || made.codes[i] == made.grid.highest_code();
    RC_ASSERT(clipped || std::abs(real[i] - weights[i]) <= scale * 0.5001F);
  }
}

double squared_error(std::span<const float> weights, const GroupParams& params, int highest) {
  double sum = 0;
  for (const float weight : weights) {
    const int code = group_code(weight, params.scale, params.zero_point, highest);
    sum += std::pow(weight - params.scale * static_cast<float>(code - params.zero_point), 2);
  }
  return sum;
}

RC_GTEST_PROP(GroupWeights, LoseNoMoreThanOnTheirWholeRange, ()) {
  const auto weights = drawn(32, -1, *rc::gen::element(0.2F, 1.0F, 4.0F));
  const float low = std::min(std::ranges::min(weights), 0.0F);
  const float high = std::max(std::ranges::max(weights), 0.0F);
  const GroupParams whole{
      .scale = (high - low) / 15,
      .zero_point = static_cast<uint8_t>(std::nearbyint(-low / ((high - low) / 15)))};
  RC_ASSERT(squared_error(weights, group_params(weights, {}), 15) <=
            squared_error(weights, whole, 15) * (1 + 1e-6));
}

TEST(GroupWeights, OfNothingButZerosHaveAScale) {
  for (const bool symmetric : {false, true}) {
    const GroupParams params = group_params(std::vector<float>(16), {.symmetric = symmetric});
    EXPECT_GT(params.scale, 0);
    EXPECT_EQ(params.zero_point, symmetric ? 8 : 0);
  }
}

TEST(GroupWeights, AreOfLearntMatricesThatNobodyElseReads) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {-1, 4});
  const ValueId shared = graph.add_constant("shared", random_tensor({4, 4}, 1));
  const ValueId fixed = graph.add_constant("fixed", random_tensor({4, 4}, 2));
  graph.value(fixed).fixed = true;
  ValueId y = graph.add_op("MatMul", "plain", {x, shared});
  y = graph.add_op("Gemm", "turned", {y, shared}, {{"transB", int64_t{1}}});
  y = graph.add_op("Gemm", "scaled", {y, shared}, {{"alpha", 2.0F}});
  y = graph.add_op("MatMul", "sum", {y, fixed});
  graph.add_output(graph.add_op("MatMul", "two activations", {y, y}));
  unshare_grouped_weights(graph);
  const auto products = grouped_products(graph);
  ASSERT_EQ(products.size(), 2U);
  const Node& plain = graph.node(products[0]);
  const Node& turned = graph.node(products[1]);
  EXPECT_EQ(plain.name, "plain");
  EXPECT_EQ(turned.name, "turned");
  EXPECT_NE(plain.inputs[1], turned.inputs[1]);
  EXPECT_EQ(graph.value(shared).constant->bytes, random_tensor({4, 4}, 1).bytes);

  const auto held = weights_by_output(graph, plain);
  EXPECT_EQ(held[1], random_tensor({4, 4}, 1).as<float>()[4]);
  EXPECT_EQ(weights_by_output(graph, turned)[1], random_tensor({4, 4}, 1).as<float>()[1]);
  set_weights_by_output(graph, plain, held);
  EXPECT_EQ(weights_by_output(graph, plain), held);
}

TEST(SchemeText, TellsGroups) {
  const Scheme scheme{.ranges = Scheme::Ranges::WeightOnly,
                      .groups = {.bits = 8, .size = 128, .symmetric = true}};
  EXPECT_EQ(scheme_text(scheme), "weight-only 8-bit groups of 128 symmetric");
  EXPECT_EQ(parse_scheme(scheme_text(scheme)), scheme);
  EXPECT_TRUE(message_of([&] {
                parse_scheme("weight-only 2-bit groups of 128 symmetric");
              }).starts_with("unknown scheme 'weight-only 2-bit groups of 128 symmetric'"));
}

}  // namespace
}  // namespace octet
