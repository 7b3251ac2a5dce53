// The passes that fold into weights: what they change, what they leave alone, and that the network
// computes the same.

#include <gtest/gtest.h>

#include "net.h"
#include "passes/passes.h"

namespace octet {
namespace {

using namespace test;

TEST(Passes, FoldBatchNormalization) {
  check(fold_batch_normalization,
        {
            {"conv",
             [] {
               Image n;
               return n.to({n.norm(n.conv(n.x))});
             },
             1, "Conv"},
            {"no bias",
             [] {
               Image n;
               return n.to({n.norm(n.op("Conv", {n.x, n.c({4, 3, 3, 3})}))});
             },
             1, "Conv"},
            {"depthwise",
             [] {
               Image n;
               return n.to({n.norm(n.op("Conv", {n.x, n.c({3, 1, 3, 3})}, {{"group", 3}}), 3)});
             },
             1, "Conv"},
            {"transposed conv",
             [] {
               Image n;
               return n.to({n.norm(n.op("ConvTranspose", {n.x, n.c({3, 4, 2, 2}), n.c({4})}))});
             },
             1, "ConvTranspose"},
            {"transposed conv in groups",
             [] {
               Net n({-1, 4, 5, 5});
               const ValueId conv =
                   n.op("ConvTranspose", {n.x, n.c({4, 3, 2, 2}), n.c({6})}, {{"group", 2}});
               return n.to({n.norm(conv, 6)});
             },
             1, "ConvTranspose"},
            {"gemm",
             [] {
               Row n;
               return n.to({n.norm(n.gemm(n.x))});
             },
             1, "Gemm"},
            {"gemm, transB, no bias",
             [] {
               Row n;
               return n.to({n.norm(n.op("Gemm", {n.x, n.c({4, 3})}, {{"transB", 1}}))});
             },
             1, "Gemm"},
            {"gemm, bias is a number",
             [] {
               Row n;
               return n.to({n.norm(n.op("Gemm", {n.x, n.c({3, 4}), n.number(2)}))});
             },
             1, "Gemm"},
            {"two after each other",
             [] {
               Image n;
               return n.to({n.norm(n.norm(n.conv(n.x)))});
             },
             2, "Conv"},
            {"left: nothing before",
             [] {
               Image n;
               return n.to({n.norm(n.x, 3)});
             },
             0, "BatchNormalization"},
            {"left: another reader",
             [] {
               Image n;
               const ValueId conv = n.conv(n.x);
               return n.to({n.op("Add", {n.norm(conv), conv})});
             },
             0, "Conv BatchNormalization Add"},
            {"left: a graph output before",
             [] {
               Image n;
               const ValueId conv = n.conv(n.x);
               return n.to({conv, n.norm(conv)});
             },
             0, "Conv BatchNormalization"},
            {"left: after Relu",
             [] {
               Image n;
               return n.to({n.norm(n.op("Relu", {n.conv(n.x)}))});
             },
             0, "Conv Relu BatchNormalization"},
            {"left: after MatMul",
             [] {
               Row n;
               return n.to({n.norm(n.op("MatMul", {n.x, n.c({3, 4})}))});
             },
             0, "MatMul BatchNormalization"},
            {"left: alpha",
             [] {
               Row n;
               return n.to({n.norm(n.op("Gemm", {n.x, n.c({3, 4}), n.c({4})}, {{"alpha", 0.5F}}))});
             },
             0, "Gemm BatchNormalization"},
            {"left: a bias per row",
             [] {
               Net n({4, 3});
               return n.to({n.norm(n.op("Gemm", {n.x, n.c({3, 4}), n.c({4, 1})}))});
             },
             0, "Gemm BatchNormalization"},
            {"left: a bias per row and column",
             [] {
               Net n({4, 3});
               return n.to({n.norm(n.op("Gemm", {n.x, n.c({3, 4}), n.c({4, 4})}))});
             },
             0, "Gemm BatchNormalization"},
            {"left: a computed weight",
             [] {
               Net n({2, 2, 2, 2});
               return n.to({n.norm(n.op("Conv", {n.x, n.x}), 2)});
             },
             0, "Conv BatchNormalization"},
            {"left: computed statistics",
             [] {
               Image n;
               const ValueId mean =
                   n.op("ReduceMean", {n.conv(n.x), n.list({0, 2, 3})}, {{"keepdims", 0}});
               return n.to({n.op("BatchNormalization",
                                 {n.conv(n.x), n.c({4}), n.c({4}), mean, n.c({4}, 1, 2)})});
             },
             0, "Conv ReduceMean Conv BatchNormalization"},
        });
}

TEST(Passes, FoldAffine) {
  check(fold_affine,
        {
            {"by a number",
             [] {
               Image n;
               return n.to({n.op("Mul", {n.conv(n.x), n.number(-3)})});
             },
             1, "Conv"},
            {"per channel",
             [] {
               Image n;
               return n.to({n.op("Add", {n.conv(n.x), n.c({4, 1, 1})})});
             },
             1, "Conv"},
            {"constant on the left",
             [] {
               Image n;
               return n.to({n.op("Mul", {n.c({1, 4, 1, 1}), n.conv(n.x)})});
             },
             1, "Conv"},
            {"slope and offset",
             [] {
               Image n;
               const ValueId scaled = n.op("Mul", {n.conv(n.x), n.c({4, 1, 1})});
               return n.to({n.op("Add", {scaled, n.number(0.5F)})});
             },
             2, "Conv"},
            {"no bias yet",
             [] {
               Image n;
               return n.to({n.op("Add", {n.op("Conv", {n.x, n.c({4, 3, 3, 3})}), n.c({4, 1, 1})})});
             },
             1, "Conv"},
            {"gemm",
             [] {
               Row n;
               return n.to({n.op("Mul", {n.gemm(n.x), n.c({4})})});
             },
             1, "Gemm"},
            {"gemm, 1xN",
             [] {
               Row n;
               return n.to({n.op("Add", {n.gemm(n.x), n.c({1, 4})})});
             },
             1, "Gemm"},
            {"transposed conv",
             [] {
               Image n;
               const ValueId conv = n.op("ConvTranspose", {n.x, n.c({3, 4, 2, 2})});
               return n.to({n.op("Mul", {conv, n.c({4, 1, 1})})});
             },
             1, "ConvTranspose"},
            {"conv of three dimensions",
             [] {
               Net n({-1, 3, 6});
               const ValueId conv = n.op("Conv", {n.x, n.c({4, 3, 3})});
               return n.to({n.op("Mul", {conv, n.c({4, 1})})});
             },
             1, "Conv"},
            {"left: varies over columns",  // 4 columns and 4 channels
             [] {
               Image n;
               return n.to({n.op("Add", {n.conv(n.x), n.c({4})})});
             },
             0, "Conv Add"},
            {"left: varies over rows",
             [] {
               Image n;
               return n.to({n.op("Add", {n.conv(n.x), n.c({4, 1})})});
             },
             0, "Conv Add"},
            {"left: varies over the image",
             [] {
               Image n;
               return n.to({n.op("Mul", {n.conv(n.x), n.c({4, 4, 4})})});
             },
             0, "Conv Mul"},
            {"left: varies over the batch",
             [] {
               Net n({4, 3, 6, 6});
               return n.to({n.op("Add", {n.conv(n.x), n.c({4, 1, 1, 1})})});
             },
             0, "Conv Add"},
            {"left: adds a dimension",
             [] {
               Image n;
               return n.to({n.op("Mul", {n.conv(n.x), n.c({1, 1, 1, 1, 1})})});
             },
             0, "Conv Mul"},
            {"left: gemm, varies over rows",
             [] {
               Net n({4, 3});
               return n.to({n.op("Add", {n.gemm(n.x), n.c({4, 1})})});
             },
             0, "Gemm Add"},
            {"left: another reader",
             [] {
               Image n;
               const ValueId conv = n.conv(n.x);
               return n.to({n.op("Add", {n.op("Mul", {conv, n.number(2)}), conv})});
             },
             0, "Conv Mul Add"},
            {"left: a graph output before",
             [] {
               Image n;
               const ValueId conv = n.conv(n.x);
               return n.to({conv, n.op("Mul", {conv, n.number(2)})});
             },
             0, "Conv Mul"},
            {"left: both computed",
             [] {
               Image n;
               return n.to({n.op("Mul", {n.conv(n.x), n.conv(n.x)})});
             },
             0, "Conv Conv Mul"},
            {"left: itself",
             [] {
               Image n;
               const ValueId conv = n.conv(n.x);
               return n.to({n.op("Mul", {conv, conv})});
             },
             0, "Conv Mul"},
        });
}

TEST(Passes, FuseMatMulBias) {
  check(fuse_matmul_bias,
        {
            {"matmul, add",
             [] {
               Row n;
               return n.to({n.op("Add", {n.op("MatMul", {n.x, n.c({3, 4})}), n.c({4})})});
             },
             1, "Gemm"},
            {"constant on the left",
             [] {
               Row n;
               return n.to({n.op("Add", {n.c({4}), n.op("MatMul", {n.x, n.c({3, 4})})})});
             },
             1, "Gemm"},
            {"left: a batch of matrices",
             [] {
               Net n({-1, 2, 3});
               return n.to({n.op("Add", {n.op("MatMul", {n.x, n.c({3, 4})}), n.c({4})})});
             },
             0, "MatMul Add"},
            {"left: one number",
             [] {
               Row n;
               return n.to({n.op("Add", {n.op("MatMul", {n.x, n.c({3, 4})}), n.c({1})})});
             },
             0, "MatMul Add"},
            {"left: another reader",
             [] {
               Row n;
               const ValueId made = n.op("MatMul", {n.x, n.c({3, 4})});
               return n.to({n.op("Mul", {n.op("Add", {made, n.c({4})}), made})});
             },
             0, "MatMul Add Mul"},
            {"left: a graph output before",
             [] {
               Row n;
               const ValueId made = n.op("MatMul", {n.x, n.c({3, 4})});
               return n.to({made, n.op("Add", {made, n.c({4})})});
             },
             0, "MatMul Add"},
        });
}

}  // namespace
}  // namespace octet
