// The pattern language: what its texts match, what they build, and what they leave alone.

#include "passes/rewrite.h"

#include <gtest/gtest.h>

#include "net.h"
#include "support/error_of.h"

namespace octet {
namespace {

using namespace test;

/// The operators left after one rule ran.
std::string after(const Rule& rule, Graph graph) {
  infer_shapes(graph);
  Rewriter({rule})(graph);
  return ops_of(graph);
}

/// x -> Relu -> Sigmoid.
Graph chain() {
  Net n({-1, 3});
  return n.to({n.op("Sigmoid", {n.op("Relu", {n.x})})});
}

TEST(Rewrite, BindsTheSameValueToTheSameVariable) {
  const Rule rule{"Mul(?x, Sigmoid(?x))", "HardSwish(?x)"};
  Row same;
  EXPECT_EQ(after(rule, same.to({same.op("Mul", {same.x, same.op("Sigmoid", {same.x})})})),
            "HardSwish");
  Row other;
  const ValueId relu = other.op("Relu", {other.x});
  EXPECT_EQ(after(rule, other.to({other.op("Mul", {relu, other.op("Sigmoid", {other.x})})})),
            "Relu Sigmoid Mul");
}

TEST(Rewrite, TakesEqualConstantsForTheSame) {
  const Rule rule{"Sub(Add(?x, ?c:constant), ?c)", "Relu(?x)"};
  Row same;
  EXPECT_EQ(
      after(rule,
            same.to({same.op("Sub", {same.op("Add", {same.x, same.number(2)}), same.number(2)})})),
      "Relu");
  Row other;
  EXPECT_EQ(after(rule, other.to({other.op("Sub", {other.op("Add", {other.x, other.number(2)}),
                                                   other.number(3)})})),
            "Add Sub");
}

TEST(Rewrite, MatchesSumsAndProductsInAnyOrder) {
  // 0.5 first, last and in the middle; as a factor and as a divisor.
  for (int order = 0; order < 6; ++order) {
    Row n;
    const ValueId gate = n.op("Sigmoid", {n.x});
    ValueId out = 0;
    switch (order) {
      case 0: out = n.op("Mul", {n.op("Mul", {n.x, n.number(0.5F)}), gate}); break;
      case 1: out = n.op("Mul", {n.number(0.5F), n.op("Mul", {gate, n.x})}); break;
      case 2: out = n.op("Mul", {n.x, n.op("Mul", {n.number(0.5F), gate})}); break;
      case 3: out = n.op("Div", {n.op("Mul", {n.x, gate}), n.number(2)}); break;
      case 4: out = n.op("Mul", {gate, n.op("Div", {n.x, n.number(2)})}); break;
      default: out = n.op("Mul", {n.op("Div", {gate, n.number(2)}), n.x}); break;
    }
    EXPECT_EQ(after({"Mul(?x, Sigmoid(?x), 0.5)", "HardSwish(?x)"}, n.to({out})), "HardSwish")
        << order;
  }
  Row sub;
  EXPECT_EQ(after({"Add(?x, 3)", "Relu(?x)"}, sub.to({sub.op("Sub", {sub.x, sub.number(-3)})})),
            "Relu");
  Row left;  // 2 / x is no product of x
  EXPECT_EQ(
      after({"Mul(?x, 0.5)", "Relu(?x)"}, left.to({left.op("Div", {left.number(2), left.x})})),
      "Div");
}

TEST(Rewrite, ComparesNumbers) {
  const auto matches = [](const Rule& rule, Tensor constant) {
    Graph graph;
    const ValueId x = graph.add_input("x", DType::Float32, {-1, 3});
    const ValueId c = graph.add_constant("c", std::move(constant));
    graph.add_output(graph.add_op("Mul", "out", {x, c}));
    return after(rule, std::move(graph)) == "Relu";
  };
  const Rule sixth{"Mul(?x, 1/6)", "Relu(?x)"};
  EXPECT_TRUE(matches(sixth, Tensor::scalar(1.0F / 6)));
  EXPECT_TRUE(matches(sixth, Tensor::scalar(0.166667F)));
  EXPECT_FALSE(matches(sixth, Tensor::scalar(0.1666F)));
  EXPECT_FALSE(matches(sixth, random_tensor({3}, 1)));
  EXPECT_TRUE(matches(sixth, Tensor::of<float>({1}, std::vector{1.0F / 6})));
  // It would give the product a dimension more.
  EXPECT_FALSE(matches(sixth, Tensor::of<float>({1, 1, 1}, std::vector{1.0F / 6})));
  EXPECT_TRUE(matches({"Mul(?x, ?c:constant)", "Relu(?x)"}, random_tensor({3}, 1)));
  EXPECT_FALSE(matches({"Mul(?x, ?c:number)", "Relu(?x)"}, random_tensor({3}, 1)));
  EXPECT_TRUE(matches({"Mul(?x, ?c:number)", "Relu(?x)"}, Tensor::scalar(7)));
  EXPECT_TRUE(
      matches({"Mul(?x, inf)", "Relu(?x)"}, Tensor::scalar(std::numeric_limits<float>::max())));
  EXPECT_FALSE(matches({"Mul(?x, -inf)", "Relu(?x)"}, Tensor::scalar(3)));
}

TEST(Rewrite, LeavesInnerValuesThatOthersRead) {
  const Rule rule{"Sigmoid(Relu(?x))", "Tanh(?x)"};
  EXPECT_EQ(after(rule, chain()), "Tanh");
  Row read;
  const ValueId relu = read.op("Relu", {read.x});
  EXPECT_EQ(after(rule, read.to({read.op("Add", {read.op("Sigmoid", {relu}), relu})})),
            "Relu Sigmoid Add");
  Row output;
  const ValueId out = output.op("Relu", {output.x});
  EXPECT_EQ(after(rule, output.to({out, output.op("Sigmoid", {out})})), "Relu Sigmoid");
}

TEST(Rewrite, KeepsInnerValuesThatTheReplacementReads) {
  Row n;
  const ValueId relu = n.op("Relu", {n.x});
  EXPECT_EQ(after({"Sigmoid(?y=Relu(?x))", "Tanh(?y)"},
                  n.to({n.op("Add", {n.op("Sigmoid", {relu}), relu})})),
            "Relu Tanh Add");
  Row shared;
  const ValueId kept = shared.op("Relu", {shared.x});
  EXPECT_EQ(after({"Sigmoid(&Relu(?x))", "Tanh(?x)"},
                  shared.to({shared.op("Add", {shared.op("Sigmoid", {kept}), kept})})),
            "Relu Tanh Add");
}

TEST(Rewrite, AsksForAttributesAndCopiesThem) {
  const auto leaky = [](Attributes attributes) {
    Row n;
    return n.to({n.op("LeakyRelu", {n.x}, std::move(attributes))});
  };
  const Rule ask{"LeakyRelu{alpha=0.5}(?x)", "Relu(?x)"};
  EXPECT_EQ(after(ask, leaky({{"alpha", 0.5F}})), "Relu");
  EXPECT_EQ(after(ask, leaky({{"alpha", 0.25F}})), "LeakyRelu");
  EXPECT_EQ(after(ask, leaky({})), "LeakyRelu");

  Graph one = leaky({{"alpha", 0.25F}});
  Rewriter({{"LeakyRelu{alpha=@a}(?x)", "Elu{alpha=@a}(Relu(?x))"}})(one);
  EXPECT_EQ(one.node(one.order().back()).number("alpha", 0), 0.25F);
  Graph all = leaky({{"alpha", 0.125F}});
  Rewriter({{"LeakyRelu{**a}(?x)", "Elu{**a}(?x)"}})(all);
  EXPECT_EQ(all.node(all.order().back()).number("alpha", 0), 0.125F);
}

TEST(Rewrite, TellsOperandsThatAreNotGiven) {
  const auto clip = [](bool low, bool high) {
    Row n;
    std::vector<ValueId> inputs{n.x, low ? n.number(0) : kAbsent};
    if (high) inputs.push_back(n.number(6));
    return n.to({n.op("Clip", inputs)});
  };
  EXPECT_EQ(after({"Clip(?x, 0, -)", "Relu(?x)"}, clip(true, false)), "Relu");
  EXPECT_EQ(after({"Clip(?x, 0)", "Relu(?x)"}, clip(true, false)), "Relu");
  EXPECT_EQ(after({"Clip(?x, 0)", "Relu(?x)"}, clip(true, true)), "Clip");
  EXPECT_EQ(after({"Clip(?x, ?low:optional, 6)", "Relu(?x)"}, clip(false, true)), "Relu");
  EXPECT_EQ(after({"Clip(?x, _, 6)", "Relu(?x)"}, clip(false, true)), "Clip");
}

TEST(Rewrite, TheLastNodeTakesThePlaceAndTheName) {
  Graph graph = chain();
  const std::string output = outputs_of(graph);
  const Node before = graph.node(graph.order().back());
  EXPECT_EQ(Rewriter({{"Sigmoid(Relu(?x))", "Mul(Tanh(?x), 2)"}})(graph), 1u);
  const Node& last = graph.node(graph.order().back());
  EXPECT_EQ(ops_of(graph), "Tanh Mul");
  EXPECT_EQ(last.name, before.name);
  EXPECT_EQ(graph.node(graph.order().front()).name, before.name + "/Tanh");
  EXPECT_EQ(outputs_of(graph), output);
  EXPECT_EQ(graph.constant_input(last, 1)->as<float>()[0], 2);
}

TEST(Rewrite, ReplacesByAVariable) {
  Graph graph = chain();
  const std::string output = outputs_of(graph);
  EXPECT_EQ(Rewriter({{"Sigmoid(?x)", "?x"}})(graph), 1u);
  EXPECT_EQ(ops_of(graph), "Relu");
  EXPECT_EQ(outputs_of(graph), output);

  Row n;  // the graph's input cannot be called as its output
  EXPECT_EQ(after({"Sigmoid(?x)", "?x"}, n.to({n.op("Sigmoid", {n.x})})), "Sigmoid");
}

TEST(Rewrite, SetsWhatTheConditionComputes) {
  Row n;
  Graph graph = n.to({n.op("Mul", {n.x, n.number(3)})});
  infer_shapes(graph);
  const Rewriter negate({{"Mul(?x, ?c:number)", "Sub(?x, ?minus)", [](Match& match) {
                            match.set("minus", Tensor::scalar(-match.number("c")));
                            return match.number("c") > 0;
                          }}});
  EXPECT_EQ(negate(graph), 1u);
  EXPECT_EQ(graph.constant_input(graph.node(graph.order().back()), 1)->as<float>()[0], -3);
}

TEST(Rewrite, WhatIsSetLastCounts) {
  Row n;
  Graph graph = n.to({n.op("Mul", {n.x, n.number(3)})});
  infer_shapes(graph);
  Rewriter({{"Mul(?x, ?c:number)", "Sub(?x, ?c)", [](Match& match) {
               match.set("c", Tensor::scalar(4));
               match.set("c", Tensor::scalar(match.number("c") + 1));
               return true;
             }}})(graph);
  EXPECT_EQ(graph.constant_input(graph.node(graph.order().back()), 1)->as<float>()[0], 5);
}

TEST(Rewrite, GoesOnUntilNothingChanges) {
  Row n;
  ValueId out = n.x;
  for (int i = 0; i < 7; ++i) out = n.op("Neg", {out});
  EXPECT_EQ(after({"Neg(Neg(?x))", "?x"}, n.to({out})), "Neg");
}

TEST(Rewrite, RefusesRulesThatNeverEnd) {
  Graph graph = chain();
  EXPECT_EQ(message_of([&] { Rewriter({{"Relu(?x)", "Relu(?x)"}})(graph); }),
            "rewriting does not end: its rules undo one another");
}

TEST(Rewrite, RefusesTextsThatAreNoPatterns) {
  EXPECT_EQ(message_of([] { parse_match("Relu(?x"); }), "pattern 'Relu(?x': at '': wanted )");
  EXPECT_EQ(message_of([] { parse_match("Relu(?x) Sigmoid"); }),
            "pattern 'Relu(?x) Sigmoid': at 'Sigmoid': wanted the end");
  EXPECT_EQ(message_of([] { parse_match("Relu(?x:tensor)"); }),
            "pattern 'Relu(?x:tensor)': at ')': wanted constant, number or optional before this");
  EXPECT_EQ(message_of([] { parse_match("Relu{a}(?x)"); }),
            "pattern 'Relu{a}(?x)': at '}(?x)': wanted =");
  Graph graph = chain();
  EXPECT_EQ(message_of([&] { Rewriter({{"Relu(?x)", "Relu(?y)"}})(graph); }),
            "a rule reads the variable 'y', which its pattern does not bind");
}

TEST(Links, AreKeptCurrent) {
  Row n;
  const ValueId relu = n.op("Relu", {n.x});
  Graph graph = n.to({n.op("Add", {relu, relu})});
  Links links(graph);
  const NodeId add = graph.order().back();
  EXPECT_EQ(links.producer(relu), graph.order().front());
  EXPECT_EQ(links.producer(n.x), kNoNode);
  EXPECT_EQ(std::vector(links.readers(relu).begin(), links.readers(relu).end()), std::vector{add});
  links.remove_unread(graph, add);
  EXPECT_TRUE(links.alive(add)) << "it makes the output";
  links.drop(add);
  EXPECT_TRUE(links.readers(relu).empty());
  links.remove_unread(graph, graph.order().front());
  EXPECT_EQ(ops_of(graph), "Add");
}

}  // namespace
}  // namespace octet
