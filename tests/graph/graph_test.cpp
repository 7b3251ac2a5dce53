#include "graph/graph.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/text.h"
#include "support/error_of.h"

namespace octet {
namespace {

/// The operators in order: "Conv Relu".
std::string ops_of(const Graph& graph) {
  std::vector<std::string> ops;
  for (const NodeId id : graph.order()) ops.push_back(graph.node(id).op);
  return join(ops, " ");
}

/// x -> a -> b -> c, which is the output; a is read by c too.
struct Chain {
  Graph graph;
  ValueId x = graph.add_input("x", DType::Float32, {-1, 3});
  ValueId a = graph.add_op("A", "a", {x});
  ValueId b = graph.add_op("B", "b", {a});
  ValueId c = graph.add_op("C", "c", {b, a, a});
  Chain() { graph.add_output(c); }
};

TEST(Graph, MakesNamesUnique) {
  Graph graph;
  const ValueId input = graph.add_input("x", DType::Float32, {1});
  const ValueId constant = graph.add_constant("x", Tensor::scalar(1));
  const ValueId third = graph.add_value("x");
  const ValueId made = graph.add_op("Relu", "x", {input});
  const ValueId taken = graph.add_value("x_1");
  const ValueId nameless = graph.add_value("");
  const ValueId nameless_too = graph.add_value("");
  std::vector<std::string> names;
  for (const ValueId id : {input, constant, third, made, taken, nameless, nameless_too}) {
    names.push_back(graph.value(id).name);
    EXPECT_EQ(graph.find(names.back()), id);
  }
  EXPECT_EQ(join(names), "x, x_1, x_2, x_3, x_1_1, value, value_1");
  EXPECT_EQ(graph.find("none"), std::nullopt);
  EXPECT_EQ(graph.value_count(), 7u);
}

TEST(Graph, NamesNodesThatHaveNone) {
  Graph graph;
  graph.add_node({.op = "Relu"});
  graph.add_node({.op = "Relu"});
  EXPECT_NE(graph.node(0).name, graph.node(1).name);
  EXPECT_EQ(describe(graph.node(1)), "node \"Relu_1\" (Relu)");
}

TEST(Graph, KnowsWhoMakesAndWhoReads) {
  const Chain chain;
  const Graph& graph = chain.graph;
  EXPECT_EQ(graph.producer(chain.x), std::nullopt);
  EXPECT_EQ(graph.producer(chain.b), 1);
  EXPECT_EQ(graph.users(chain.a), (std::vector<NodeId>{1, 2}));
  EXPECT_EQ(graph.users(chain.c), std::vector<NodeId>{});
  EXPECT_TRUE(graph.is_output(chain.c));
  EXPECT_FALSE(graph.is_output(chain.b));
  EXPECT_FALSE(graph.is_constant(kAbsent));
}

TEST(Graph, ReadsConstantInputs) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {1});
  const ValueId bound = graph.add_constant("bound", Tensor::scalar(6));
  graph.add_op("Clip", "clip", {x, kAbsent, bound});
  const Node& clip = graph.node(0);
  EXPECT_EQ(graph.constant_input(clip, 0), nullptr);
  EXPECT_EQ(graph.constant_input(clip, 1), nullptr);
  ASSERT_NE(graph.constant_input(clip, 2), nullptr);
  EXPECT_EQ(graph.constant_input(clip, 2)->as<float>()[0], 6);
  EXPECT_EQ(graph.constant_input(clip, 3), nullptr);
  EXPECT_EQ(clip.input(3), kAbsent);
}

TEST(Graph, ReplacesUsesEverywhere) {
  Chain chain;
  chain.graph.replace_uses(chain.a, chain.x);
  EXPECT_EQ(chain.graph.node(1).inputs, std::vector<ValueId>{chain.x});
  EXPECT_EQ(chain.graph.node(2).inputs, (std::vector<ValueId>{chain.b, chain.x, chain.x}));
  chain.graph.replace_uses(chain.c, chain.b);
  EXPECT_EQ(chain.graph.outputs(), std::vector<ValueId>{chain.b});
}

TEST(Graph, SwapsNames) {
  Chain chain;
  chain.graph.swap_names(chain.a, chain.c);
  EXPECT_EQ(chain.graph.value(chain.a).name, "c");
  EXPECT_EQ(chain.graph.value(chain.c).name, "a");
  EXPECT_EQ(chain.graph.find("a"), chain.c);
  EXPECT_EQ(chain.graph.find("c"), chain.a);
}

TEST(Graph, SplicesNewNodesIntoTheirPlace) {
  struct Case {
    NodeId replaced;
    int added;
    std::string_view wanted;
  };
  for (const auto& [replaced, added, wanted] : std::vector<Case>{
           {0, 1, "N0 B C"},
           {1, 1, "A N0 C"},
           {1, 3, "A N0 N1 N2 C"},
           {2, 2, "A B N0 N1"},
           {1, 0, "A C"},
       }) {
    Chain chain;
    const size_t count = chain.graph.order().size();
    for (int i = 0; i < added; ++i) chain.graph.add_op("N" + std::to_string(i), "new", {chain.x});
    chain.graph.splice(replaced, count);
    EXPECT_EQ(ops_of(chain.graph), wanted);
  }
}

TEST(Graph, RemovesWhatNobodyReads) {
  Chain chain;
  Graph& graph = chain.graph;
  EXPECT_EQ(graph.remove_dead(), 0u);
  const ValueId dead = graph.add_op("Dead", "dead", {chain.b});
  graph.add_op("Deader", "deader", {dead});
  EXPECT_EQ(graph.remove_dead(), 2u);
  EXPECT_EQ(ops_of(graph), "A B C");
  // One of two outputs read is enough; absent outputs do not count.
  const ValueId first = graph.add_value("first");
  const ValueId second = graph.add_value("second");
  graph.add_node({.name = "two", .op = "Two", .inputs = {chain.x}, .outputs = {first, second}});
  graph.add_node({.name = "none", .op = "None", .inputs = {chain.x}, .outputs = {kAbsent}});
  graph.add_output(second);
  EXPECT_EQ(graph.remove_dead(), 1u);
  EXPECT_EQ(ops_of(graph), "A B C Two");
}

TEST(Graph, SortsAndKeepsTheOrderOfTheRest) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, {1});
  const ValueId weight = graph.add_constant("w", Tensor::scalar(1));
  const ValueId b = graph.add_value("b");
  const ValueId c = graph.add_value("c");
  graph.add_op("Last", "last", {b, c});
  graph.add_node({.name = "c", .op = "C", .inputs = {b, weight, kAbsent}, .outputs = {c}});
  graph.add_op("Free", "free", {x});
  graph.add_node({.name = "b", .op = "B", .inputs = {x}, .outputs = {b}});
  graph.add_op("Free2", "free2", {x});
  graph.sort();
  EXPECT_EQ(ops_of(graph), "Free B Free2 C Last");
  graph.sort();
  EXPECT_EQ(ops_of(graph), "Free B Free2 C Last") << "sorting again changes nothing";
}

TEST(Graph, RefusesCyclesAndMissingProducers) {
  struct Case {
    std::string_view what;
    Graph (*make)();
    std::string_view message;
  };
  for (const auto& [what, make, message] : std::vector<Case>{
           {"a cycle of two",
            [] {
              Graph graph;
              const ValueId x = graph.add_input("x", DType::Float32, {1});
              const ValueId back = graph.add_value("back");
              const ValueId there = graph.add_op("Add", "there", {x, back});
              graph.add_node({.name = "back", .op = "Relu", .inputs = {there}, .outputs = {back}});
              return graph;
            },
            "node \"there\" (Add): its input 'back' is made by no node before it, or by a cycle"},
           {"a cycle of one",
            [] {
              Graph graph;
              const ValueId self = graph.add_value("self");
              graph.add_node({.name = "n", .op = "Relu", .inputs = {self}, .outputs = {self}});
              return graph;
            },
            "node \"n\" (Relu): its input 'self' is made by no node before it, or by a cycle"},
           {"nobody makes it",
            [] {
              Graph graph;
              const ValueId x = graph.add_input("x", DType::Float32, {1});
              const ValueId good = graph.add_op("Relu", "good", {x});
              graph.add_op("Add", "bad", {good, graph.add_value("lost")});
              return graph;
            },
            "node \"bad\" (Add): its input 'lost' is made by no node before it, or by a cycle"},
       }) {
    Graph graph = make();
    const Error error = error_of([&] { graph.sort(); });
    EXPECT_EQ(error.code(), Code::Model) << what;
    EXPECT_EQ(error.what(), message) << what;
  }
}

TEST(Node, ReadsAttributesByType) {
  const Node node{
      .name = "n",
      .op = "Op",
      .attributes = {{"i", 3}, {"f", 0.5F}, {"s", "SAME"}, {"is", std::vector<int64_t>{1, 2}}}};
  EXPECT_TRUE(node.has("i"));
  EXPECT_FALSE(node.has("none"));
  EXPECT_EQ(node.integer("i", 7), 3);
  EXPECT_EQ(node.integer("none", 7), 7);
  EXPECT_EQ(node.number("f", 1), 0.5F);
  EXPECT_EQ(node.number("none", 1), 1);
  EXPECT_EQ(node.text("s", "x"), "SAME");
  EXPECT_EQ(node.text("none", "x"), "x");
  EXPECT_EQ(node.integers("is"), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(node.integers("none", {9}), std::vector<int64_t>{9});
  for (const std::string_view name : {"f", "s", "is"}) {
    const Error error = error_of([&] { (void)node.integer(name, 0); });
    EXPECT_EQ(error.code(), Code::Model);
    EXPECT_EQ(error.what(),
              std::format("node \"n\" (Op): the attribute '{}' has an unexpected type", name));
  }
}

TEST(Tensor, ChecksTypesAndShapes) {
  struct Case {
    void (*action)();
    std::string_view message;
  };
  for (const auto& [action, message] : std::vector<Case>{
           {[] { (void)Tensor(DType::Float32, {2, 3}).as<int64_t>(); },
            "a tensor float32[2x3] was read as int64[3 elements]"},
           {[] { (void)Tensor::of<float>({2, 2}, std::vector<float>(3)); },
            "a tensor float32[2x2] was read as float32[3 elements]"},
           {[] { (void)Tensor(DType::Int8, {-1, 3}); }, "the shape Nx3 is not static"},
           {[] { (void)element_count(Shape{INT64_MAX, 2}); },
            "the shape 9223372036854775807x2 has too many elements"},
       }) {
    const Error error = error_of(action);
    EXPECT_EQ(error.code(), Code::Model);
    EXPECT_EQ(error.what(), message);
  }
  EXPECT_EQ(Tensor::scalar(3).size(), 1);
  EXPECT_EQ(element_count(Shape{0, 4}), 0);
}

}  // namespace
}  // namespace octet
