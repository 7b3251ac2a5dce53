#include "quant/gptq.h"

#include <ATen/ops/diag.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "quant/gram.h"
#include "support/error_of.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

using test::random_tensor;

std::vector<float> drawn_weights(int64_t count, unsigned seed) {
  const Tensor tensor = random_tensor({count}, seed);
  return {tensor.as<float>().begin(), tensor.as<float>().end()};
}

at::Tensor matrix_of(std::vector<float> numbers, int64_t columns) {
  const auto rows = std::ssize(numbers) / columns;
  return at::from_blob(numbers.data(), {rows, columns}, at::kFloat).to(at::kDouble);
}

/// Inputs that are mixed of a few causes, as those of a network are.
at::Tensor correlated_gram(int64_t inputs, unsigned seed) {
  const at::Tensor causes = matrix_of(drawn_weights(400 * 6, seed), 6);
  const at::Tensor mixed = at::mm(causes, matrix_of(drawn_weights(6 * inputs, seed + 1), inputs)) +
                           matrix_of(drawn_weights(400 * inputs, seed + 2), inputs) * 0.1;
  return at::mm(mixed.t(), mixed) / 400;
}

/// What rounding does to the products: the sum over outputs of e G e^T.
double product_error(const std::vector<float>& weights, const GroupedWeights& made,
                     const at::Tensor& gram) {
  const int64_t inputs = gram.size(0);
  const at::Tensor error =
      matrix_of(weights, inputs) - matrix_of(dequantize(made.codes, made.grid), inputs);
  return (at::mm(error, gram) * error).sum().item<double>();
}

RC_GTEST_PROP(Gptq, RoundsToTheNearestWhereInputsAreIndependent, ()) {
  const int64_t inputs = *rc::gen::inRange(1, 200);
  const auto weights = drawn_weights(5 * inputs, *rc::gen::inRange(0U, 9999U));
  const Scheme::Groups groups{.bits = *rc::gen::elementOf(kGroupBits),
                              .size = *rc::gen::elementOf(kGroupSizes),
                              .symmetric = *rc::gen::arbitrary<bool>()};
  const at::Tensor scale = matrix_of(drawn_weights(inputs, 7), inputs).abs() + 0.1;
  const GroupedWeights wanted = round_in_groups(weights, 5, groups);
  for (const bool largest_first : {false, true}) {
    const GroupedWeights made =
        gptq(weights, 5, at::diag(scale.squeeze(0)), groups, {.largest_first = largest_first});
    RC_ASSERT(made.grid == wanted.grid);
    RC_ASSERT(made.codes == wanted.codes);
  }
}

struct GptqCase {
  int64_t inputs;
  Scheme::Groups groups;
  bool largest_first;
};

TEST(Gptq, LosesLessOfProductsThanTheNearest) {
  for (const GptqCase& row :
       {GptqCase{64, {}, false}, GptqCase{64, {}, true},
        GptqCase{200, {.size = 64}, false},  // more than are rounded at once
        GptqCase{200, {.size = 256}, false}, GptqCase{300, {.size = 16, .symmetric = true}, true},
        GptqCase{150, {.bits = 8, .size = 32}, false}}) {
    const auto weights = drawn_weights(24 * row.inputs, 3);
    const at::Tensor gram = correlated_gram(row.inputs, 11);
    const GroupedWeights made =
        gptq(weights, 24, gram, row.groups, {.largest_first = row.largest_first});
    const double nearest = product_error(weights, round_in_groups(weights, 24, row.groups), gram);
    EXPECT_LT(product_error(weights, made, gram), 0.6 * nearest)
        << row.inputs << " " << row.groups.bits << " " << row.groups.size;
  }
}

TEST(Gptq, TakesInputsThatAreNeverThere) {
  const auto weights = drawn_weights(4 * 32, 3);
  at::Tensor gram = correlated_gram(32, 5);
  gram.slice(0, 8, 12).zero_();
  gram.slice(1, 8, 12).zero_();
  const GroupedWeights made = gptq(weights, 4, gram, {});
  EXPECT_LT(product_error(weights, made, gram),
            product_error(weights, round_in_groups(weights, 4, {}), gram));
  const GroupedWeights nothing = gptq(weights, 4, at::zeros({32, 32}, at::kDouble), {});
  EXPECT_EQ(nothing.codes, round_in_groups(weights, 4, {}).codes);
}

TEST(Gptq, RefusesAMatrixThatIsNoGramMatrix) {
  EXPECT_EQ(message_of([] { gptq(drawn_weights(4, 1), 2, at::eye(2, at::kDouble).neg(), {}); }),
            "GPTQ: the Gram matrix of 2 inputs is not positive, however damped");
}

TEST(Gram, IsTheMeanOverAllRowsOfAllBatches) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {-1, 2, 2});
  const ValueId two = graph.add_constant("two", Tensor::scalar(2));
  const ValueId doubled = graph.add_op("Mul", "doubled", {x, two});
  graph.add_output(doubled);
  int batches = 0;
  const NextImages next = [&](std::vector<float>& images) {
    images = {1, 0, 0, 3};
    return batches++ < 3 ? 1 : 0;
  };
  const auto grams = gram_matrices(graph, {x, doubled}, next);
  EXPECT_TRUE(grams.at(x).equal(matrix_of({0.5F, 0, 0, 4.5F}, 2)));
  EXPECT_TRUE(grams.at(doubled).equal(matrix_of({2, 0, 0, 18}, 2)));
  batches = 3;
  EXPECT_EQ(message_of([&] { gram_matrices(graph, {x}, next); }),
            "calibrate: there are no calibration images");
}

}  // namespace
}  // namespace octet
