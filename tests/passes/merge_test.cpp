// What is computed twice.

#include <gtest/gtest.h>

#include "net.h"
#include "passes/passes.h"

namespace octet {
namespace {

using namespace test;

TEST(Passes, MergeDuplicates) {
  check(merge_duplicates,
        {
            {"a chain of two",
             [] {
               Image n;
               const ValueId one = n.op("Sigmoid", {n.op("Relu", {n.x})});
               const ValueId two = n.op("Sigmoid", {n.op("Relu", {n.x})});
               return n.to({n.op("Mul", {one, two})});
             },
             2, "Relu Sigmoid Mul"},
            {"equal constants, equal attributes",
             [] {
               Image n;
               const ValueId one =
                   n.op("LeakyRelu", {n.op("Add", {n.x, n.number(2)})}, {{"alpha", 0.25F}});
               const ValueId two =
                   n.op("LeakyRelu", {n.op("Add", {n.x, n.number(2)})}, {{"alpha", 0.25F}});
               return n.to({n.op("Mul", {one, two})});
             },
             2, "Add LeakyRelu Mul"},
            {"axes that are equal",
             [] {
               Image n;
               const ValueId rows = n.op("ReduceMean", {n.x, n.list({2})});
               const ValueId of_rows = n.op("ReduceMean", {n.op("Relu", {n.x}), n.list({2})});
               return n.to({n.op("Mul", {rows, of_rows})});
             },
             1, "ReduceMean Relu ReduceMean Mul"},
            {"left: other attributes",
             [] {
               Image n;
               const ValueId one = n.op("LeakyRelu", {n.x}, {{"alpha", 0.25F}});
               const ValueId two = n.op("LeakyRelu", {n.x}, {{"alpha", 0.5F}});
               return n.to({n.op("Mul", {one, two})});
             },
             0, "LeakyRelu LeakyRelu Mul"},
            {"left: other constants, and operands the other way round",
             [] {
               Image n;
               const ValueId one = n.op("Sub", {n.x, n.number(2)});
               const ValueId two = n.op("Sub", {n.x, n.number(3)});
               const ValueId three = n.op("Sub", {n.number(2), n.x});
               return n.to({n.op("Mul", {n.op("Mul", {one, two}), three})});
             },
             0, "Sub Sub Sub Mul Mul"},
            {"left: two outputs of the graph",
             [] {
               Image n;
               return n.to({n.op("Relu", {n.x}), n.op("Relu", {n.x})});
             },
             0, "Relu Relu"},
        });
}

TEST(Passes, MergeDuplicatesLeavesRealConstantsToTheirReaders) {
  Image n;
  const ValueId one = n.op("Add", {n.x, n.number(2)});
  const ValueId two = n.op("Add", {n.op("Relu", {n.x}), n.number(2)});
  Graph graph = n.to({n.op("Mul", {one, two})});
  EXPECT_EQ(merge_duplicates(graph), 0u);
  EXPECT_NE(graph.node(graph.producer(one).value()).inputs[1],
            graph.node(graph.producer(two).value()).inputs[1]);
}

}  // namespace
}  // namespace octet
