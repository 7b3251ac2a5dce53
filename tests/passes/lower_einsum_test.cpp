// Einsum in operators that have integer kernels.

#include <gtest/gtest.h>

#include "net.h"
#include "passes/passes.h"

namespace octet {
namespace {

using namespace test;

struct EinsumCase {
  std::string_view equation;
  Shape a;
  Shape b;  ///< empty: one operand
  std::string_view ops;
  bool constant = false;  ///< the second operand
};

/// Images of a row each, from which both operands are made; -1 in a shape is the batch.
Graph network(const EinsumCase& row) {
  const auto length = [](const Shape& shape) {
    int64_t count = 1;
    for (const int64_t d : shape) count *= std::abs(d);
    return count;
  };
  Net n({-1, std::max<int64_t>(length(row.a) + length(row.b), 1)});
  int64_t from = 0;
  const auto operand = [&](const Shape& shape) {
    const int64_t to = from + length(shape);
    const ValueId part = n.op("Slice", {n.x, n.list({from}), n.list({to}), n.list({1})});
    from = to;
    if (std::ranges::contains(shape, -1)) {
      Shape target = shape;
      return n.op("Reshape", {part, n.list(target)});
    }
    // Of the first image only, for what has no batch.
    const ValueId first = n.op("Slice", {part, n.list({0}), n.list({1}), n.list({0})});
    return n.op("Reshape", {first, n.list(shape)});
  };
  std::vector<ValueId> operands{operand(row.a)};
  if (row.constant) {
    operands.push_back(n.c(row.b));
  } else if (!row.b.empty()) {
    operands.push_back(operand(row.b));
  }
  return n.to({n.op("Einsum", operands, {{"equation", std::string(row.equation)}})});
}

/// What the lowering made of the Einsum, the last operator.
std::string lowered_ops(const Graph& graph, size_t before) {
  std::vector<std::string> ops;
  for (size_t i = before; i < graph.order().size(); ++i) {
    ops.push_back(graph.node(graph.order()[i]).op);
  }
  return join(ops, " ");
}

void check_einsum(const EinsumCase& row) {
  SCOPED_TRACE(row.equation);
  Graph graph = network(row);
  infer_shapes(graph);
  const Shape shape = input_shape(graph);
  const auto before = outputs_for(graph, shape);
  const size_t count = graph.order().size() - 1;
  const bool left = row.ops == "Einsum";
  EXPECT_EQ(lower_all(graph), left ? 0u : 1u);
  EXPECT_EQ(lowered_ops(graph, count), row.ops);
  infer_shapes(graph);
  EXPECT_LE(relative_error(before, outputs_for(graph, shape)), 1e-5);
  EXPECT_EQ(lower_all(graph), 0u) << "the second time";
}

TEST(LowerEinsum, OfTwoOperands) {
  for (const EinsumCase& row : std::vector<EinsumCase>{
           {"bij,bjk->bik", {-1, 3, 4}, {-1, 4, 5}, "MatMul"},
           {"bij,bkj->bik", {-1, 3, 4}, {-1, 5, 4}, "Transpose MatMul"},
           {"bij,bjk", {-1, 3, 4}, {-1, 4, 5}, "Transpose Reshape Reshape MatMul"},
           {"bij,bjk->bki", {-1, 3, 4}, {-1, 4, 5}, "MatMul Transpose"},
           {"bji,bkj->bki", {-1, 4, 3}, {-1, 5, 4}, "MatMul"},
           {"bqhd,bkhd->bhqk", {-1, 5, 3, 4}, {-1, 6, 3, 4}, "Transpose Transpose MatMul"},
           {"bhqk,bkhd->bqhd", {-1, 3, 5, 6}, {-1, 6, 3, 4}, "Transpose MatMul Transpose"},
           {"nctv,nvw->nctw", {-1, 2, 3, 4}, {-1, 4, 4}, "Reshape MatMul Reshape"},
           {"bijk,bjk->bi", {-1, 3, 2, 4}, {-1, 2, 4}, "Reshape Reshape MatMul Reshape"},
           {"bi,bi->b", {-1, 6}, {-1, 6}, "Reshape Reshape MatMul Reshape"},
           {"bi,bi->bi", {-1, 6}, {-1, 6}, "Mul"},
           {"bi,bj->bij", {-1, 3}, {-1, 4}, "Unsqueeze Unsqueeze Mul"},
           {"bi,bj->bji", {-1, 3}, {-1, 4}, "Unsqueeze Unsqueeze Mul"},
           {"bij,i->bji", {-1, 3, 4}, {3}, "Transpose Mul"},
           {"bij,bjk->bk",
            {-1, 3, 4},
            {-1, 4, 5},
            "Transpose MatMul Squeeze Reshape MatMul Reshape"},
           {"bi,bj->b", {-1, 3}, {-1, 4}, "MatMul Squeeze MatMul Squeeze Mul"},
           {"b i j , b j k -> b i k", {-1, 3, 4}, {-1, 4, 5}, "MatMul"},
           {"aB,Bc->ca", {-1, 4}, {4, 5}, "MatMul Transpose"},
       }) {
    check_einsum(row);
  }
}

TEST(LowerEinsum, WithAWeight) {
  for (const EinsumCase& row : std::vector<EinsumCase>{
           {"bsd,df->bsf", {-1, 3, 4}, {4, 5}, "MatMul", true},
           {"bsd,fd->bsf", {-1, 3, 4}, {5, 4}, "MatMul", true},
           {"bsd,dhk->bshk", {-1, 3, 4}, {4, 2, 3}, "MatMul Reshape", true},
           {"bshk,hkd->bsd", {-1, 3, 2, 4}, {2, 4, 5}, "Reshape MatMul Reshape", true},
           {"bchw,kc->bkhw", {-1, 3, 2, 4}, {5, 3}, "Transpose MatMul Transpose", true},
           {"bhid,jd->bhij", {-1, 2, 3, 4}, {5, 4}, "MatMul", true},
           {"bhid,hjd->bhij",
            {-1, 2, 3, 4},
            {2, 5, 4},
            "Transpose Reshape MatMul Reshape Transpose",
            true},
           {"bi,i->bi", {-1, 4}, {4}, "Mul", true},
           {"bij,j->bi", {-1, 3, 4}, {4}, "MatMul Reshape", true},
           {"...d,df->...f", {-1, 3, 4}, {4, 5}, "MatMul", true},
       }) {
    check_einsum(row);
  }
}

TEST(LowerEinsum, SpellsOutEllipses) {
  for (const EinsumCase& row : std::vector<EinsumCase>{
           {"...ij,...jk->...ik", {-1, 3, 4}, {-1, 4, 5}, "MatMul"},
           {"...ij,jk->...ik", {-1, 2, 3, 4}, {4, 5}, "MatMul"},
           {"...ij,...kj->...ik",
            {-1, 1, 3, 4},
            {-1, 3, 5, 4},
            "Squeeze Transpose Reshape MatMul Reshape Transpose"},
           {"...ij,...jk", {-1, 2, 3, 4}, {-1, 2, 4, 5}, "MatMul"},
           {"i...->...i", {-1, 3, 4}, {}, "Transpose"},
       }) {
    check_einsum(row);
  }
}

TEST(LowerEinsum, OfOneOperand) {
  for (const EinsumCase& row : std::vector<EinsumCase>{
           {"bij->bji", {-1, 3, 4}, {}, "Transpose"},
           {"bij->bij", {-1, 3, 4}, {}, "Identity"},
           {"bij->bi", {-1, 3, 4}, {}, "MatMul Squeeze"},
           {"bij->bj", {-1, 3, 4}, {}, "Transpose MatMul Squeeze"},
           {"bijk->kb", {-1, 3, 4, 2}, {}, "Transpose Reshape MatMul Squeeze Transpose"},
       }) {
    check_einsum(row);
  }
}

TEST(LowerEinsum, LeavesWhatIsNoProduct) {
  for (const EinsumCase& row : std::vector<EinsumCase>{
           {"bii->bi", {-1, 4, 4}, {}, "Einsum"},
           {"bij,bjj->bi", {-1, 3, 4}, {-1, 4, 4}, "Einsum"},
           {"bij->ij", {-1, 3, 4}, {}, "Einsum"},      // the batch is summed
           {"bi,ci->bc", {-1, 4}, {-1, 4}, "Einsum"},  // two open dimensions
           {"bi,jk->bi", {-1, 4}, {2, 3}, "Einsum", true},
       }) {
    check_einsum(row);
  }
}

TEST(LowerEinsum, LeavesThreeOperands) {
  Net n({-1, 3});
  Graph graph = n.to({n.op("Einsum", {n.x, n.c({3, 4}), n.c({4, 5})},
                           {{"equation", std::string("ab,bc,cd->ad")}})});
  infer_shapes(graph);
  EXPECT_EQ(lower_all(graph), 0u);
}

}  // namespace
}  // namespace octet
