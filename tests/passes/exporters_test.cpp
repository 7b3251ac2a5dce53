// Blocks of networks as PyTorch's exporter writes them, through all of `simplify`.

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>

#include "net.h"
#include "passes/passes.h"

namespace octet {
namespace {

using namespace test;

struct Simplified {
  std::string ops;
  std::string log;
};

/// Simplifies, and checks that the network computes the same and that nothing is left to do.
Simplified simplified(Graph graph) {
  infer_shapes(graph);
  const Shape shape = input_shape(graph);
  const auto before = outputs_for(graph, shape);
  const std::string names = outputs_of(graph);
  const std::string log = join(simplify(graph));
  EXPECT_LE(relative_error(before, outputs_for(graph, shape)), 1e-5);
  EXPECT_EQ(outputs_of(graph), names);
  EXPECT_EQ(join(simplify(graph)), "") << "the second time";
  return {ops_of(graph), log};
}

/// LayerNormalization over the last axis, with Pow as PyTorch writes it.
ValueId layer_norm(Net& n, ValueId x, int64_t channels) {
  const ValueId centred = n.op("Sub", {x, n.op("ReduceMean", {x, n.list({-1})})});
  const ValueId square = n.op("Pow", {centred, n.number(2)});
  const ValueId variance = n.op("ReduceMean", {square, n.list({-1})});
  const ValueId root = n.op("Sqrt", {n.op("Add", {variance, n.number(1e-3F)})});
  const ValueId normal = n.op("Div", {centred, root});
  return n.op("Add", {n.op("Mul", {normal, n.c({channels})}), n.c({channels})});
}

ValueId linear(Net& n, ValueId x, int64_t from, int64_t to) {
  return n.op("Add", {n.op("MatMul", {x, n.c({from, to})}), n.c({to})});
}

ValueId gelu(Net& n, ValueId x) {
  const ValueId erf = n.op("Erf", {n.op("Div", {x, n.number(1.4142135F)})});
  const ValueId product = n.op("Mul", {x, n.op("Add", {erf, n.number(1)})});
  return n.op("Mul", {product, n.number(0.5F)});
}

TEST(Exporters, ConvNeXtBlock) {
  Net n({-1, 4, 6, 6});
  const ValueId conv =
      n.op("Conv", {n.x, n.c({4, 1, 3, 3}), n.c({4})}, {{"group", 4}, {"pads", L{1, 1, 1, 1}}});
  const ValueId last = n.op("Transpose", {conv}, {{"perm", L{0, 2, 3, 1}}});
  const ValueId wide = gelu(n, linear(n, layer_norm(n, last, 4), 4, 16));
  const ValueId turned = n.op("Transpose", {linear(n, wide, 16, 4)}, {{"perm", L{0, 3, 1, 2}}});
  const ValueId scaled = n.op("Mul", {n.c({4, 1, 1}), turned});
  const auto [ops, log] = simplified(n.to({n.op("Add", {scaled, n.x})}));
  EXPECT_EQ(ops, "Conv Transpose LayerNormalization MatMul Add Gelu MatMul Add Transpose Add");
  EXPECT_EQ(log,
            "merge_duplicates: 1, simplify_arithmetic: 1, fuse_activations: 1, "
            "fuse_normalizations: 3, fold_scales: 1");
}

TEST(Exporters, HardSwishOfClipsAndSqueezeExcitation) {
  Net n({-1, 4, 6, 6});
  const ValueId moved = n.op("Add", {n.x, n.number(3)});
  const ValueId clipped = n.op("Clip", {moved, n.number(0), n.number(6)});
  const ValueId swish = n.op("Div", {n.op("Mul", {n.x, clipped}), n.number(6)});
  const ValueId pooled = n.op("ReduceMean", {swish, n.list({2, 3})});
  const ValueId gate = n.op("Conv", {pooled, n.c({4, 4, 1, 1}), n.c({4})});
  const ValueId lifted = n.op("Add", {gate, n.number(3)});
  const ValueId sixth =
      n.op("Mul", {n.op("Clip", {lifted, n.number(0), n.number(6)}), n.number(1.0F / 6)});
  const auto [ops, log] = simplified(n.to({n.op("Mul", {sixth, swish})}));
  EXPECT_EQ(ops, "HardSwish ReduceMean Conv HardSigmoid Mul");
  EXPECT_EQ(log, "fuse_activations: 2");
}

TEST(Exporters, AttentionWithAPackedProjection) {
  // q, k, v from one product; q scaled before the scores; a causal mask from constants.
  Net n({-1, 4, 6});
  const ValueId packed = linear(n, n.x, 6, 18);
  const ValueId parts = n.op("Transpose", {n.op("Reshape", {packed, n.list({-1, 4, 3, 2, 3})})},
                             {{"perm", L{2, 0, 3, 1, 4}}});
  const auto part = [&](int64_t index) {
    const ValueId one = n.op("Gather", {parts, n.list({index})}, {{"axis", 0}});
    return n.op("Squeeze", {one, n.list({0})});
  };
  const ValueId q = n.op("Mul", {part(0), n.number(0.577F)});
  const ValueId k = n.op("Transpose", {part(1)}, {{"perm", L{0, 1, 3, 2}}});
  const ValueId mask =
      n.op("Where", {n.op("Less", {n.c({4, 4}), n.number(0)}),
                     n.op("Expand", {n.number(-100), n.list({4, 4})}), n.number(0)});
  const ValueId scores = n.op("Add", {n.op("MatMul", {q, k}), mask});
  const ValueId seen = n.op("MatMul", {n.op("Softmax", {scores}, {{"axis", -1}}), part(2)});
  const ValueId joined = n.op("Transpose", {seen}, {{"perm", L{0, 2, 1, 3}}});
  const ValueId out = linear(n, n.op("Reshape", {joined, n.list({-1, 4, 6})}), 6, 6);
  const auto [ops, log] = simplified(n.to({out}));
  EXPECT_EQ(ops,
            "MatMul Add Reshape Transpose Gather Squeeze Mul Gather Squeeze Transpose MatMul Add "
            "Softmax Gather Squeeze MatMul Transpose Reshape MatMul Add");
  EXPECT_TRUE(log.starts_with("fold_constants: 3")) << log;
}

TEST(Exporters, ShapesOfConstantsAreFolded) {
  // torch.expand(-1, 4): the target is made by ConstantOfShape, Mul, Equal and Where.
  Net n({-1, 3, 4});
  const ValueId ones = n.op("ConstantOfShape", {n.list({3})}, {{"value", Tensor::vector(L{1})}});
  const ValueId minus = n.op("Mul", {ones, n.list({-1})});
  const ValueId wanted = n.list({-1, 3, 4});
  const ValueId target = n.op("Where", {n.op("Equal", {wanted, minus}), ones, wanted});
  const ValueId row = n.op("ReduceMean", {n.x, n.list({1})});
  const auto [ops, log] = simplified(n.to({n.op("Add", {n.op("Expand", {row, target}), n.x})}));
  EXPECT_EQ(ops, "ReduceMean Add");
  EXPECT_EQ(log, "fold_constants: 4, remove_broadcasts: 1");
}

TEST(Exporters, SwinRollAndWindows) {
  Net n({-1, 4, 4, 2});
  const auto slice = [&](ValueId x, int64_t from, int64_t to, int64_t axis) {
    return n.op("Slice", {x, n.list({from}), n.list({to}), n.list({axis})});
  };
  const auto roll = [&](ValueId x, int64_t axis) {
    return n.op("Concat", {slice(x, 1, INT64_MAX, axis), slice(x, 0, 1, axis)}, {{"axis", axis}});
  };
  const ValueId rolled = roll(roll(n.x, 1), 2);
  const ValueId windows =
      n.op("Transpose", {n.op("Reshape", {rolled, n.list({-1, 2, 2, 2, 2, 2})})},
           {{"perm", L{0, 1, 3, 2, 4, 5}}});
  const ValueId rows = n.op("Reshape", {windows, n.list({-1, 4, 2})});
  const ValueId moved = n.op("Add", {linear(n, rows, 2, 2), n.c({1, 4, 2})});
  const auto [ops, log] = simplified(n.to({moved}));
  EXPECT_EQ(ops, "Slice Slice Concat Slice Slice Concat Reshape Transpose Reshape MatMul Add Add");
}

TEST(Exporters, ThousandsOfNodesTakeLessThanASecond) {
  // As many Gelus, LayerNormalizations and residual sums as make 2,000 nodes, on one number: what
  // running takes does not count.
  Net n({-1, 1});
  ValueId x = n.x;
  while (true) {
    x = n.op("Add", {gelu(n, layer_norm(n, x, 1)), x});
    if (n.size() >= 2000) break;
  }
  Graph graph = n.to({x});
  infer_shapes(graph);
  const auto start = std::chrono::steady_clock::now();
  size_t changed = 0;
  for (const auto pass :
       {fold_constants, merge_duplicates, remove_broadcasts, simplify_arithmetic, simplify_layout,
        fuse_activations, fuse_normalizations, fold_padding, unshare_constants,
        fold_batch_normalization, fold_scales, fold_normalization_into_next}) {
    changed += pass(graph);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  EXPECT_LT(took.count(), 0.5);
  RecordProperty("seconds", std::to_string(took.count()));
  EXPECT_GE(changed, 5 * 140u);
  EXPECT_EQ(graph.order().size() % 3, 0u) << "LayerNormalization, Gelu and Add each";
}

}  // namespace
}  // namespace octet
