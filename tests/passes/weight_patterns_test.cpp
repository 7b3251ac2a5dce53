// Pads, factors and normalizations that go into the operator beside them.

#include <gtest/gtest.h>

#include <limits>

#include "net.h"
#include "passes/passes.h"

namespace octet {
namespace {

using namespace test;

ValueId pad(Net& n, ValueId x, const L& pads, float fill = 0) {
  return n.op("Pad", {x, n.list(pads), n.number(fill)});
}
const L kAround{0, 0, 1, 2, 0, 0, 2, 1};

TEST(WeightPatterns, FoldPadding) {
  check(fold_padding,
        {
            {"conv",
             [] {
               Image n;
               return n.to({n.conv(pad(n, n.x, kAround))});
             },
             1, "Conv"},
            {"conv with pads of its own",
             [] {
               Image n;
               return n.to({n.op("Conv", {pad(n, n.x, kAround), n.c({4, 3, 3, 3})},
                                 {{"pads", L{1, 1, 1, 1}}})});
             },
             1, "Conv"},
            {"average",
             [] {
               Image n;
               return n.to(
                   {n.op("AveragePool", {pad(n, n.x, kAround)}, {{"kernel_shape", L{3, 3}}})});
             },
             1, "AveragePool"},
            {"maximum, of what is below everything",
             [] {
               Image n;
               const ValueId padded = pad(n, n.x, kAround, -std::numeric_limits<float>::infinity());
               return n.to({n.op("MaxPool", {padded}, {{"kernel_shape", L{3, 3}}})});
             },
             1, "MaxPool"},
            {"maximum of positive numbers",
             [] {
               Image n;
               return n.to({n.op("MaxPool", {pad(n, n.op("Relu", {n.x}), kAround)},
                                 {{"kernel_shape", L{3, 3}}})});
             },
             1, "Relu MaxPool"},
            {"pads of nothing",
             [] {
               Image n;
               return n.to({pad(n, n.op("Relu", {n.x}), L(8, 0), 7)});
             },
             1, "Relu"},
            {"left: filled with ones",
             [] {
               Image n;
               return n.to({n.conv(pad(n, n.x, kAround, 1))});
             },
             0, "Pad Conv"},
            {"left: of channels",
             [] {
               Net n({-1, 2, 6, 6});
               return n.to({n.conv(pad(n, n.x, {0, 1, 0, 0, 0, 0, 0, 0}))});
             },
             0, "Pad Conv"},
            {"left: cuts",
             [] {
               Image n;
               return n.to({n.conv(pad(n, n.x, {0, 0, -1, 0, 0, 0, 0, 0}))});
             },
             0, "Pad Conv"},
            {"left: reflects",
             [] {
               Image n;
               const ValueId padded = n.op("Pad", {n.x, n.list(kAround)}, {{"mode", "reflect"}});
               return n.to({n.conv(padded)});
             },
             0, "Pad Conv"},
            {"left: another reader",
             [] {
               Image n;
               const ValueId padded = pad(n, n.x, kAround);
               return n.to({n.conv(padded), n.op("Relu", {padded})});
             },
             0, "Pad Conv Relu"},
            {"left: maximum with zeros",
             [] {
               Image n;
               return n.to({n.op("MaxPool", {pad(n, n.x, kAround)}, {{"kernel_shape", L{3, 3}}})});
             },
             0, "Pad MaxPool"},
            {"left: average that does not count its own pads",
             [] {
               Image n;
               return n.to({n.op("AveragePool", {pad(n, n.x, kAround)},
                                 {{"kernel_shape", L{4, 4}}, {"pads", L{1, 1, 1, 1}}})});
             },
             0, "Pad AveragePool"},
            {"left: windows of nothing but padding",
             [] {
               Image n;
               return n.to({n.op("AveragePool", {pad(n, n.x, {0, 0, 2, 2, 0, 0, 2, 2})},
                                 {{"kernel_shape", L{2, 2}}})});
             },
             0, "Pad AveragePool"},
        });
}

struct WeightedTokens : Net {
  WeightedTokens() : Net({-1, 5, 3}) {}
  ValueId product(ValueId in) { return op("MatMul", {in, c({3, 4})}); }
};

TEST(WeightPatterns, FoldScales) {
  check(fold_scales,
        {
            {"number before a product",
             [] {
               WeightedTokens n;
               return n.to({n.product(n.op("Mul", {n.x, n.number(3)}))});
             },
             1, "MatMul"},
            {"division after a product",
             [] {
               WeightedTokens n;
               return n.to({n.op("Div", {n.product(n.x), n.number(8)})});
             },
             1, "MatMul"},
            {"number before gemm",
             [] {
               Row n;
               return n.to({n.gemm(n.op("Div", {n.x, n.number(4)}))});
             },
             1, "Gemm"},
            {"number before a padded conv",
             [] {
               Image n;
               const ValueId scaled = n.op("Mul", {n.number(1.0F / 255), n.x});
               return n.to({n.op("Conv", {scaled, n.c({4, 3, 3, 3}), n.c({4})},
                                 {{"pads", L{1, 1, 1, 1}}})});
             },
             1, "Conv"},
            {"row after a sum: LayerScale",
             [] {
               WeightedTokens n;
               const ValueId sum = n.op("Add", {n.product(n.x), n.c({4})});
               return n.to({n.op("Mul", {n.c({4}), sum})});
             },
             1, "MatMul Add"},
            {"row after a transpose: torchvision's ConvNeXt",
             [] {
               Net n({-1, 2, 2, 3});
               const ValueId sum = n.op("Add", {n.c({4}), n.op("MatMul", {n.x, n.c({3, 4})})});
               const ValueId turned = n.op("Transpose", {sum}, {{"perm", L{0, 3, 1, 2}}});
               return n.to({n.op("Mul", {n.c({4, 1, 1}), turned})});
             },
             1, "MatMul Add Transpose"},
            {"left: a row before a product",
             [] {
               WeightedTokens n;
               return n.to({n.product(n.op("Mul", {n.x, n.c({3})}))});
             },
             0, "Mul MatMul"},
            {"left: varies over tokens",
             [] {
               WeightedTokens n;
               return n.to({n.op("Mul", {n.product(n.x), n.c({5, 1})})});
             },
             0, "MatMul Mul"},
            {"left: adds a dimension",
             [] {
               WeightedTokens n;
               return n.to({n.op("Mul", {n.product(n.x), n.c({1, 1, 1, 4})})});
             },
             0, "MatMul Mul"},
            {"left: a bias that varies over tokens",
             [] {
               WeightedTokens n;
               const ValueId sum = n.op("Add", {n.product(n.x), n.c({5, 4})});
               return n.to({n.op("Mul", {sum, n.c({4})})});
             },
             0, "MatMul Add Mul"},
            {"left: attention scores have no weight",
             [] {
               WeightedTokens n;
               const ValueId key = n.op("Transpose", {n.x}, {{"perm", L{0, 2, 1}}});
               return n.to({n.op("Mul", {n.op("MatMul", {n.x, key}), n.number(0.5F)})});
             },
             0, "Transpose MatMul Mul"},
            {"left: another reader",
             [] {
               WeightedTokens n;
               const ValueId scaled = n.op("Mul", {n.x, n.number(3)});
               return n.to({n.op("MatMul", {scaled, n.c({3, 4})}), n.op("Relu", {scaled})});
             },
             0, "Mul MatMul Relu"},
        });
}

TEST(WeightPatterns, FoldNormalizationIntoNext) {
  check(fold_normalization_into_next,
        {
            {"after MatMul",
             [] {
               Row n;
               return n.to({n.norm(n.op("MatMul", {n.x, n.c({3, 4})}))});
             },
             1, "Gemm"},
            {"after MatMul and Add",
             [] {
               Row n;
               const ValueId sum = n.op("Add", {n.op("MatMul", {n.x, n.c({3, 4})}), n.c({4})});
               return n.to({n.norm(sum)});
             },
             1, "Gemm"},
            {"before Conv",
             [] {
               Image n;
               return n.to({n.conv(n.norm(n.x, 3))});
             },
             1, "Conv"},
            {"before a depthwise Conv without bias",
             [] {
               Image n;
               return n.to({n.op("Conv", {n.norm(n.x, 3), n.c({6, 1, 3, 3})}, {{"group", 3}})});
             },
             1, "Conv"},
            {"before Gemm",
             [] {
               Row n;
               return n.to({n.gemm(n.norm(n.x, 3))});
             },
             1, "Gemm"},
            {"before Gemm, transB, no bias",
             [] {
               Row n;
               return n.to({n.op("Gemm", {n.norm(n.x, 3), n.c({4, 3})}, {{"transB", 1}})});
             },
             1, "Gemm"},
            {"before MatMul",
             [] {
               Row n;
               return n.to({n.op("MatMul", {n.norm(n.x, 3), n.c({3, 4})})});
             },
             1, "Gemm"},
            {"left: before a padded Conv",
             [] {
               Image n;
               return n.to(
                   {n.op("Conv", {n.norm(n.x, 3), n.c({4, 3, 3, 3})}, {{"pads", L{1, 1, 1, 1}}})});
             },
             0, "BatchNormalization Conv"},
            {"left: before Gemm with alpha",
             [] {
               Row n;
               return n.to({n.op("Gemm", {n.norm(n.x, 3), n.c({3, 4})}, {{"alpha", 0.5F}})});
             },
             0, "BatchNormalization Gemm"},
            {"left: after a product of three dimensions",
             [] {
               Net n({-1, 4, 3});
               return n.to({n.norm(n.op("MatMul", {n.x, n.c({3, 4})}))});
             },
             0, "MatMul BatchNormalization"},
            {"left: another reader",
             [] {
               Image n;
               const ValueId norm = n.norm(n.x, 3);
               return n.to({n.conv(norm), n.op("Relu", {norm})});
             },
             0, "BatchNormalization Conv Relu"},
        });
}

TEST(WeightPatterns, LeaveSharedWeightsToTheirOtherReaders) {
  WeightedTokens n;
  const ValueId weight = n.c({3, 4});
  const ValueId scaled = n.op("Mul", {n.x, n.number(3)});
  Graph graph = n.to({n.op("MatMul", {scaled, weight}), n.op("MatMul", {n.x, weight})});
  infer_shapes(graph);
  const auto before = outputs_for(graph, {2, 5, 3});
  EXPECT_EQ(fold_scales(graph), 1u);
  EXPECT_LE(relative_error(before, outputs_for(graph, {2, 5, 3})), 1e-5);
}

}  // namespace
}  // namespace octet
