// Plain forms of powers and exponentials, and operators that do nothing.

#include <gtest/gtest.h>

#include "net.h"
#include "passes/passes.h"

namespace octet {
namespace {

using namespace test;

ValueId positive(Net& n) { return n.op("Softplus", {n.x}); }

TEST(ArithmeticPatterns, Powers) {
  check(simplify_arithmetic,
        {
            {"square",
             [] {
               Row n;
               return n.to({n.op("Pow", {n.x, n.number(2)})});
             },
             1, "Mul"},
            {"square, by an integer",
             [] {
               Row n;
               return n.to({n.op("Pow", {n.x, n.list({2})})});
             },
             1, "Mul"},
            {"root",
             [] {
               Row n;
               return n.to({n.op("Pow", {positive(n), n.number(0.5F)})});
             },
             1, "Softplus Sqrt"},
            {"inverse root",
             [] {
               Row n;
               return n.to({n.op("Pow", {positive(n), n.number(-0.5F)})});
             },
             1, "Softplus Sqrt Reciprocal"},
            {"1 / root",
             [] {
               Row n;
               return n.to({n.op("Div", {n.number(1), n.op("Sqrt", {positive(n)})})});
             },
             1, "Softplus Sqrt Reciprocal"},
            {"left: cube",
             [] {
               Row n;
               return n.to({n.op("Pow", {n.x, n.number(3)})});
             },
             0, "Pow"},
            {"left: power of a number",
             [] {
               Row n;
               return n.to({n.op("Pow", {n.number(2), n.x})});
             },
             0, "Pow"},
        });
}

TEST(ArithmeticPatterns, RemovesWhatDoesNothing) {
  check(simplify_arithmetic,
        {
            {"products and sums",
             [] {
               Row n;
               const ValueId product = n.op("Mul", {n.number(1), positive(n)});
               const ValueId sum = n.op("Sub", {n.op("Div", {product, n.number(1)}), n.number(0)});
               return n.to({n.op("Add", {sum, n.number(0)})});
             },
             4, "Softplus"},
            {"of one operand",
             [] {
               Row n;
               const ValueId joined = n.op("Concat", {positive(n)}, {{"axis", 1}});
               return n.to({n.op("Max", {joined})});
             },
             2, "Softplus"},
            {"a sum of two",
             [] {
               Row n;
               return n.to({n.op("Sum", {positive(n), n.x})});
             },
             1, "Softplus Add"},
            {"a constant that adds a dimension is left",
             [] {
               Row n;
               return n.to({n.op("Mul", {positive(n), n.c({1, 1, 1}, 1, 1)})});
             },
             0, "Softplus Mul"},
            {"left: 0 - x and 2 / x",
             [] {
               Row n;
               const ValueId minus = n.op("Sub", {n.number(0), positive(n)});
               return n.to({n.op("Div", {n.number(2), minus})});
             },
             0, "Softplus Sub Div"},
        });
}

TEST(ArithmeticPatterns, Exponentials) {
  check(simplify_arithmetic,
        {
            {"softmax",
             [] {
               Row n;
               const ValueId exp = n.op("Exp", {n.x});
               return n.to({n.op("Div", {exp, n.op("ReduceSum", {exp, n.list({-1})})})});
             },
             1, "Softmax"},
            {"softmax of the difference to the largest",
             [] {
               Net n({-1, 4, 5});
               const ValueId most = n.op("ReduceMax", {n.x, n.list({1})});
               const ValueId exp = n.op("Exp", {n.op("Sub", {n.x, most})});
               return n.to({n.op("Div", {exp, n.op("ReduceSum", {exp, n.list({1})})})});
             },
             2, "Softmax"},
            {"softplus",
             [] {
               Row n;
               const ValueId sum = n.op("Add", {n.number(1), n.op("Exp", {n.x})});
               return n.to({n.op("Log", {sum})});
             },
             1, "Softplus"},
            {"sigmoid",
             [] {
               Row n;
               const ValueId sum = n.op("Add", {n.op("Exp", {n.op("Neg", {n.x})}), n.number(1)});
               return n.to({n.op("Div", {n.number(1), sum})});
             },
             2, "Sigmoid"},
            {"SiLU",
             [] {
               Row n;
               const ValueId sum = n.op("Add", {n.op("Exp", {n.op("Neg", {n.x})}), n.number(1)});
               return n.to({n.op("Div", {n.x, sum})});
             },
             1, "Sigmoid Mul"},
            {"the largest along another axis is left",
             [] {
               Net n({-1, 4, 5});
               const ValueId most = n.op("ReduceMax", {n.x, n.list({1})});
               const ValueId exp = n.op("Exp", {n.op("Sub", {n.x, most})});
               return n.to({n.op("Div", {exp, n.op("ReduceSum", {exp, n.list({2})})})});
             },
             1, "ReduceMax Sub Softmax"},
            {"left: a sum over two axes",
             [] {
               Net n({-1, 4, 5});
               const ValueId exp = n.op("Exp", {n.x});
               return n.to({n.op("Div", {exp, n.op("ReduceSum", {exp, n.list({1, 2})})})});
             },
             0, "Exp ReduceSum Div"},
            {"left: the sum has another reader",
             [] {
               Row n;
               const ValueId exp = n.op("Exp", {n.x});
               const ValueId sum = n.op("ReduceSum", {exp, n.list({-1})});
               return n.to({n.op("Div", {exp, sum}), sum});
             },
             0, "Exp ReduceSum Div"},
        });
}

}  // namespace
}  // namespace octet
