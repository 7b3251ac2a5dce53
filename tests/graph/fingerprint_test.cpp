#include "graph/fingerprint.h"

#include <gtest/gtest.h>

namespace octet {
namespace {

struct Parts {
  std::string node = "conv";
  std::string op = "Conv";
  int64_t group = 1;
  std::vector<float> weight{1, 2, 3};
  Shape input{-1, 3, 4, 4};
  std::string out = "y";
};

std::string print_of(const Parts& parts) {
  Graph graph;
  const ValueId x = graph.add_input("x", DType::Float32, parts.input);
  const ValueId w = graph.add_constant("w", Tensor::of<float>({1, 3, 1, 1}, parts.weight));
  Node node{.name = parts.node,
            .op = parts.op,
            .inputs = {x, w},
            .outputs = {graph.add_value(parts.out)},
            .attributes = {{"group", parts.group}}};
  const ValueId y = node.outputs[0];
  graph.add_node(std::move(node));
  graph.add_output(y);
  return fingerprint(graph);
}

TEST(Fingerprint, TellsNetworksApart) {
  const std::string usual = print_of({});
  EXPECT_EQ(usual.size(), 16U);
  EXPECT_EQ(print_of({}), usual);
  EXPECT_EQ(print_of({.node = "another name"}), usual) << "values have the names that matter";
  const std::vector<Parts> others{{.op = "ConvTranspose"},
                                  {.group = 3},
                                  {.weight = {1, 2, 3.0000002F}},
                                  {.weight = {1, 3, 2}},
                                  {.weight = {1, 2, -3}},
                                  {.input = {-1, 3, 8, 8}},
                                  {.weight = {0, 2, 3}, .out = "z"},
                                  {.out = "z"}};
  for (size_t i = 0; i < others.size(); ++i) EXPECT_NE(print_of(others[i]), usual) << i;
}

/// Kept calibrations say which network they are of: this must not change.
TEST(Fingerprint, IsTheSameOnEveryMachine) { EXPECT_EQ(print_of({}), "a7a347bab5f00948"); }

}  // namespace
}  // namespace octet
