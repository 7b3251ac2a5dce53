// Normalizations from the parts that exporters write.

#include <gtest/gtest.h>

#include "net.h"
#include "passes/passes.h"

namespace octet {
namespace {

using namespace test;

struct NormalizedTokens : Net {
  NormalizedTokens() : Net({-1, 5, 8}) {}
};

/// The parts of a LayerNormalization.
struct Layer {
  L axes = {-1};
  float epsilon = 1e-3F;
  int64_t keepdims = 1;
  bool inverse = false;  ///< multiplied by the reciprocal instead of divided

  ValueId mean(Net& n, ValueId x) const {
    return n.op("ReduceMean", {x, n.list(axes)}, {{"keepdims", keepdims}});
  }
  ValueId over_root(Net& n, ValueId x, ValueId square) const {
    const ValueId moved = n.op("Add", {mean(n, square), n.number(epsilon)});
    const ValueId root = n.op("Sqrt", {moved});
    if (inverse) return n.op("Mul", {x, n.op("Reciprocal", {root})});
    return n.op("Div", {x, root});
  }
  ValueId operator()(Net& n, ValueId x) const {
    const ValueId centred = n.op("Sub", {x, mean(n, x)});
    return over_root(n, centred, n.op("Mul", {centred, centred}));
  }
  ValueId rms(Net& n, ValueId x) const { return over_root(n, x, n.op("Mul", {x, x})); }
};

TEST(NormalizationPatterns, LayerNormalization) {
  check(fuse_normalizations,
        {
            {"plain",
             [] {
               NormalizedTokens n;
               return n.to({Layer{}(n, n.x)});
             },
             1, "LayerNormalization"},
            {"by the reciprocal",
             [] {
               NormalizedTokens n;
               return n.to({Layer{.inverse = true}(n, n.x)});
             },
             1, "LayerNormalization"},
            {"two axes",
             [] {
               NormalizedTokens n;
               return n.to({Layer{.axes = {2, 1}}(n, n.x)});
             },
             1, "LayerNormalization"},
            {"gamma and beta",
             [] {
               NormalizedTokens n;
               const ValueId scaled = n.op("Mul", {Layer{}(n, n.x), n.c({8})});
               return n.to({n.op("Add", {n.c({1, 1, 8}), scaled})});
             },
             3, "LayerNormalization"},
            {"beta, then a factor",
             [] {
               NormalizedTokens n;
               const ValueId moved = n.op("Add", {Layer{}(n, n.x), n.c({8})});
               return n.to({n.op("Mul", {moved, n.number(3)})});
             },
             3, "LayerNormalization"},
            {"gamma over two axes",
             [] {
               NormalizedTokens n;
               return n.to({n.op("Mul", {Layer{.axes = {1, 2}}(n, n.x), n.c({5, 1})})});
             },
             2, "LayerNormalization"},
            {"gamma that varies over tokens is left",
             [] {
               NormalizedTokens n;
               return n.to({n.op("Mul", {Layer{}(n, n.x), n.c({5, 8})})});
             },
             1, "LayerNormalization Mul"},
            {"gamma with a dimension more is left",
             [] {
               NormalizedTokens n;
               return n.to({n.op("Mul", {Layer{}(n, n.x), n.c({1, 1, 1, 8})})});
             },
             1, "LayerNormalization Mul"},
            {"left: over the first axis",
             [] {
               NormalizedTokens n;
               return n.to({Layer{.axes = {1}}(n, n.x)});
             },
             0, "ReduceMean Sub Mul ReduceMean Add Sqrt Div"},
            {"left: epsilon outside of the root",
             [] {
               NormalizedTokens n;
               const ValueId centred = n.op("Sub", {n.x, Layer{}.mean(n, n.x)});
               const ValueId square = n.op("Mul", {centred, centred});
               const ValueId root = n.op("Sqrt", {Layer{}.mean(n, square)});
               return n.to({n.op("Div", {centred, n.op("Add", {root, n.number(0.1F)})})});
             },
             0, "ReduceMean Sub Mul ReduceMean Sqrt Add Div"},
            {"two kinds of axes make no LayerNormalization",
             [] {
               NormalizedTokens n;
               const ValueId centred = n.op("Sub", {n.x, Layer{.axes = {1, 2}}.mean(n, n.x)});
               return n.to({Layer{}.over_root(n, centred, n.op("Mul", {centred, centred}))});
             },
             1, "ReduceMean Sub RMSNormalization"},
            {"a mean that others read makes no LayerNormalization",
             [] {
               NormalizedTokens n;
               const ValueId mean = Layer{}.mean(n, n.x);
               const ValueId centred = n.op("Sub", {n.x, mean});
               const ValueId out = Layer{}.over_root(n, centred, n.op("Mul", {centred, centred}));
               return n.to({n.op("Add", {out, mean})});
             },
             1, "ReduceMean Sub RMSNormalization Add"},
            {"left: a variance that others read",
             [] {
               NormalizedTokens n;
               const ValueId centred = n.op("Sub", {n.x, Layer{}.mean(n, n.x)});
               const ValueId variance = Layer{}.mean(n, n.op("Mul", {centred, centred}));
               const ValueId moved = n.op("Add", {variance, n.number(0.1F)});
               return n.to({n.op("Div", {centred, n.op("Sqrt", {moved})}), variance});
             },
             0, "ReduceMean Sub Mul ReduceMean Add Sqrt Div"},
        });
}

TEST(NormalizationPatterns, RMSNormalization) {
  check(fuse_normalizations,
        {
            {"with gamma",
             [] {
               NormalizedTokens n;
               return n.to({n.op("Mul", {n.c({8}), Layer{}.rms(n, n.x)})});
             },
             2, "RMSNormalization"},
            {"by the reciprocal",
             [] {
               NormalizedTokens n;
               return n.to({n.op("Mul", {Layer{.inverse = true}.rms(n, n.x), n.c({8})})});
             },
             2, "RMSNormalization"},
            {"a sum behind is left",
             [] {
               NormalizedTokens n;
               return n.to({n.op("Add", {Layer{}.rms(n, n.x), n.c({8})})});
             },
             1, "RMSNormalization Add"},
            {"left: the square of something else",
             [] {
               NormalizedTokens n;
               const ValueId relu = n.op("Relu", {n.x});
               return n.to({Layer{}.over_root(n, n.x, n.op("Mul", {relu, relu}))});
             },
             0, "Relu Mul ReduceMean Add Sqrt Div"},
            {"left: a product of two values",
             [] {
               NormalizedTokens n;
               const ValueId product = n.op("Mul", {n.op("Relu", {n.x}), n.x});
               return n.to({Layer{}.over_root(n, n.x, n.op("Relu", {product}))});
             },
             0, "Relu Mul Relu ReduceMean Add Sqrt Div"},
        });
}

/// What PyTorch's TorchScript exporter writes for nn.GroupNorm.
ValueId grouped(Net& n, ValueId x, int64_t groups, const L& back) {
  const ValueId rows = n.op("Reshape", {x, n.list({0, groups, -1})});
  const ValueId normal =
      n.op("InstanceNormalization", {rows, n.c({groups}), n.c({groups})}, {{"epsilon", 1e-3F}});
  return n.op("Reshape", {normal, n.list(back)});
}

TEST(NormalizationPatterns, GroupNormalization) {
  check(fuse_normalizations,
        {
            {"gamma and beta",
             [] {
               Net n({-1, 6, 4, 4});
               const ValueId scaled =
                   n.op("Mul", {grouped(n, n.x, 3, {-1, 6, 4, 4}), n.c({6, 1, 1})});
               return n.to({n.op("Add", {scaled, n.c({6, 1, 1})})});
             },
             3, "GroupNormalization"},
            {"of one group",
             [] {
               Net n({-1, 6, 4, 4});
               return n.to({grouped(n, n.x, 1, {-1, 6, 4, 4})});
             },
             1, "GroupNormalization"},
            {"a factor along the columns is left",
             [] {
               Net n({-1, 4, 4, 4});
               return n.to({n.op("Mul", {grouped(n, n.x, 2, {-1, 4, 4, 4}), n.c({4})})});
             },
             1, "GroupNormalization Mul"},
            {"left: another shape behind",
             [] {
               Net n({-1, 6, 4, 4});
               return n.to({grouped(n, n.x, 3, {-1, 6, 2, 8})});
             },
             0, "Reshape InstanceNormalization Reshape"},
            {"left: groups that cut channels",
             [] {
               Net n({-1, 6, 4, 4});
               return n.to({grouped(n, n.x, 4, {-1, 6, 4, 4})});
             },
             0, "Reshape InstanceNormalization Reshape"},
            {"left: another reader",
             [] {
               Net n({-1, 6, 4, 4});
               const ValueId rows = n.op("Reshape", {n.x, n.list({0, 3, -1})});
               const ValueId normal = n.op("InstanceNormalization", {rows, n.c({3}), n.c({3})});
               const ValueId out = n.op("Reshape", {normal, n.list({-1, 6, 4, 4})});
               return n.to({out, n.op("Relu", {normal})});
             },
             0, "Reshape InstanceNormalization Reshape Relu"},
        });
}

TEST(NormalizationPatterns, LpNormalization) {
  check(fuse_normalizations,
        {
            {"by the norm",
             [] {
               NormalizedTokens n;
               return n.to({n.op("Div", {n.x, n.op("ReduceL2", {n.x, n.list({1})})})});
             },
             1, "LpNormalization"},
            {"F.normalize",
             [] {
               NormalizedTokens n;
               const ValueId norm = n.op("ReduceL2", {n.x, n.list({-1})});
               const ValueId floor = n.op("Clip", {norm, n.number(1e-12F)});
               const ValueId wide = n.op("Expand", {floor, n.op("Shape", {n.x})});
               return n.to({n.op("Div", {n.x, wide})});
             },
             1, "LpNormalization"},
            {"by the root of the sum of squares",
             [] {
               NormalizedTokens n;
               const ValueId sum =
                   n.op("ReduceSum", {n.op("Mul", {n.x, n.x}), n.list({2})}, {{"keepdims", 1}});
               return n.to({n.op("Div", {n.x, n.op("Sqrt", {sum})})});
             },
             2, "LpNormalization"},
            {"left: a floor that matters",
             [] {
               NormalizedTokens n;
               const ValueId norm = n.op("ReduceL2", {n.x, n.list({-1})});
               return n.to({n.op("Div", {n.x, n.op("Clip", {norm, n.number(1)})})});
             },
             0, "ReduceL2 Clip Div"},
            {"left: over two axes",
             [] {
               NormalizedTokens n;
               return n.to({n.op("Div", {n.x, n.op("ReduceL2", {n.x, n.list({1, 2})})})});
             },
             0, "ReduceL2 Div"},
        });
}

}  // namespace
}  // namespace octet
