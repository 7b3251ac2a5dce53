#include "engine/executor.h"

#include <gtest/gtest.h>

#include "ops/element_type.h"
#include "passes/passes.h"
#include "support/error_of.h"
#include "support/graph_builder.h"

namespace octet {
namespace {

using L = std::vector<int64_t>;

at::Tensor whole_numbers(const L& values) { return to_torch(Tensor::vector(values)); }

TEST(Executor, GivesEveryOutputOfANode) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {-1, 6});
  Node split{.name = "split", .op = "Split", .inputs = {x}};
  split.attributes = {{"axis", 1}, {"num_outputs", 3}};
  for (const char* name : {"a", "b", "c"}) split.outputs.push_back(graph.add_value(name));
  for (const ValueId out : split.outputs) graph.add_output(out);
  graph.add_node(split);
  infer_shapes(graph);
  for (const ValueId out : graph.outputs()) EXPECT_EQ(graph.value(out).shape, (Shape{-1, 2}));

  Interpretation plain;
  const at::Tensor numbers = to_torch(test::random_tensor({4, 6}, 1));
  const auto outputs = Executor(graph).run(std::span(&numbers, 1), plain);
  ASSERT_EQ(outputs.size(), 3U);
  EXPECT_TRUE(outputs[2].equal(numbers.slice(1, 4, 6)));
}

TEST(Executor, GivesAConstantThatNoNodeReads) {
  Graph graph;
  graph.add_output(graph.add_constant("seven", Tensor::scalar(7)));
  Interpretation plain;
  EXPECT_EQ(Executor(graph).run({}, plain).at(0).item<float>(), 7);
}

TEST(Executor, RunsOnTokensAndMasks) {
  Graph graph;
  const ValueId tokens = graph.add_input("tokens", DType::Int64, {-1, 3});
  const ValueId mask = graph.add_input("mask", DType::Bool, {-1, 3});
  const ValueId table = graph.add_constant("table", test::random_tensor({10, 4}, 1));
  const ValueId words = graph.add_op("Gather", "words", {table, tokens});
  const ValueId numbers = graph.add_op("Cast", "numbers", {mask}, {{"to", 1}});
  graph.add_output(words);
  graph.add_output(numbers);
  infer_shapes(graph);
  EXPECT_EQ(graph.value(words).shape, (Shape{-1, 3, 4}));
  EXPECT_EQ(graph.value(numbers).dtype, DType::Float32);

  Interpretation plain;
  const std::vector inputs{whole_numbers({9, 0, 1}).reshape({1, 3}),
                           whole_numbers({1, 0, 1}).reshape({1, 3}).to(at::kBool)};
  const auto outputs = Executor(graph).run(inputs, plain);
  EXPECT_TRUE(outputs[0][0][0].equal(to_torch(*graph.value(table).constant)[9]));
  EXPECT_EQ(outputs[1].sum().item<float>(), 2);
}

TEST(Executor, NamesAnOutputThatTheOperatorLacks) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {2});
  Node relu{.name = "act", .op = "Relu", .inputs = {x}};
  relu.outputs = {graph.add_value("y"), graph.add_value("z")};
  graph.add_node(relu);
  graph.add_output(relu.outputs[1]);
  Interpretation plain;
  const at::Tensor numbers = to_torch(Tensor(DType::Float32, {2}));
  const Error error = error_of([&] { Executor(graph).run(std::span(&numbers, 1), plain); });
  EXPECT_EQ(error.code(), Code::Unsupported);
  EXPECT_STREQ(error.what(), "node \"act\" (Relu): its output 'z' is not supported");
}

/// Tokens and what is chosen by them are data, though they are whole numbers of a fixed shape.
TEST(FreezeShapes, LeavesNumbersThatDependOnData) {
  Graph graph;
  const ValueId tokens = graph.add_input("tokens", DType::Int64, {1, 3});
  const ValueId table = graph.add_constant("table", test::random_tensor({10, 4}, 1));
  const ValueId words = graph.add_op("Gather", "words", {table, tokens});
  const ValueId shape = graph.add_op("Shape", "shape", {words});
  const ValueId flat = graph.add_op("Reshape", "flat", {words, shape});
  graph.add_output(flat);
  EXPECT_EQ(freeze_shapes(graph), 1U);
  const Node& gather = graph.node(graph.producer(words).value());
  EXPECT_EQ(gather.inputs[1], tokens);
  const Node& reshape = graph.node(graph.producer(flat).value());
  const Tensor* target = graph.constant_input(reshape, 1);
  ASSERT_NE(target, nullptr);
  EXPECT_TRUE(std::ranges::equal(target->as<int64_t>(), L{1, 3, 4}));
}

/// How many elements are not zero is data, and so is every shape that is made of it.
TEST(FreezeShapes, LeavesShapesThatDependOnData) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {1, 4});
  const ValueId places = graph.add_op("NonZero", "places", {x});
  const ValueId shape = graph.add_op("Shape", "shape", {places});
  graph.add_output(graph.add_op("ConstantOfShape", "zeros", {shape}));
  EXPECT_EQ(freeze_shapes(graph), 0U);
  EXPECT_TRUE(graph.producer(shape).has_value());
}

}  // namespace
}  // namespace octet
