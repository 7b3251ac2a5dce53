// Transposes, reshapes and broadcasts that do nothing or follow each other; pads.

#include <gtest/gtest.h>

#include <limits>

#include "net.h"
#include "passes/passes.h"

namespace octet {
namespace {

using namespace test;

ValueId transpose(Net& n, ValueId x, L perm) {
  return n.op("Transpose", {x}, {{"perm", std::move(perm)}});
}
ValueId reshape(Net& n, ValueId x, const L& target) { return n.op("Reshape", {x, n.list(target)}); }

TEST(LayoutPatterns, Transpose) {
  check(simplify_layout,
        {
            {"there and back",
             [] {
               Image n;
               const ValueId there = transpose(n, n.op("Relu", {n.x}), {0, 2, 3, 1});
               return n.to({transpose(n, there, {0, 3, 1, 2})});
             },
             2, "Relu"},
            {"two of them",
             [] {
               Image n;
               return n.to({transpose(n, transpose(n, n.x, {0, 2, 3, 1}), {0, 2, 1, 3})});
             },
             1, "Transpose"},
            {"the first has another reader",
             [] {
               Image n;
               const ValueId there = transpose(n, n.op("Relu", {n.x}), {0, 2, 3, 1});
               const ValueId back = transpose(n, there, {0, 3, 1, 2});
               return n.to({n.op("Relu", {there}), n.op("Relu", {back})});
             },
             2, "Relu Transpose Relu Relu"},
            {"left: something between",
             [] {
               Image n;
               const ValueId there = n.op("Relu", {transpose(n, n.x, {0, 2, 3, 1})});
               return n.to({transpose(n, there, {0, 3, 1, 2})});
             },
             0, "Transpose Relu Transpose"},
        });
}

TEST(LayoutPatterns, Reshape) {
  check(simplify_layout,
        {
            {"of a reshape",
             [] {
               Image n;
               return n.to({reshape(n, reshape(n, n.x, {0, 3, 36}), {0, -1, 6})});
             },
             1, "Reshape"},
            {"of flatten and unsqueeze, there and back",
             [] {
               Image n;
               const ValueId flat = n.op("Flatten", {n.op("Relu", {n.x})}, {{"axis", 1}});
               const ValueId more = n.op("Unsqueeze", {flat, n.list({1})});
               return n.to({n.op("Relu", {reshape(n, more, {-1, 3, 6, 6})})});
             },
             3, "Relu Relu"},
            {"to the same shape",
             [] {
               Image n;
               return n.to({n.op("Flatten", {reshape(n, n.op("Relu", {n.x}), {-1, 108})})});
             },
             1, "Relu Reshape"},
            {"left: it copies a dimension of the value between",
             [] {
               Image n;
               return n.to({reshape(n, reshape(n, n.x, {0, 9, 12}), {0, 0, 3, 4})});
             },
             0, "Reshape Reshape"},
            {"left: a batch of windows is not the batch",
             [] {
               Image n;
               return n.to({reshape(n, reshape(n, n.x, {-1, 3, 9}), {0, 27})});
             },
             0, "Reshape Reshape"},
        });
}

TEST(LayoutPatterns, SliceCastReduce) {
  check(simplify_layout,
        {
            {"everything",
             [] {
               Image n;
               const ValueId to = n.list({std::numeric_limits<int64_t>::max()});
               return n.to({n.op("Slice", {n.op("Relu", {n.x}), n.list({0}), to, n.list({2})})});
             },
             1, "Relu"},
            {"left: from the second",
             [] {
               Image n;
               const ValueId to = n.list({std::numeric_limits<int64_t>::max()});
               return n.to({n.op("Slice", {n.x, n.list({1}), to, n.list({2})})});
             },
             0, "Slice"},
            {"left: every other",
             [] {
               Image n;
               const ValueId to = n.list({std::numeric_limits<int64_t>::max()});
               return n.to({n.op("Slice", {n.x, n.list({0}), to, n.list({2}), n.list({2})})});
             },
             0, "Slice"},
            {"cast to what it is",
             [] {
               Image n;
               return n.to({n.op("Cast", {n.op("Relu", {n.x})}, {{"to", 1}})});
             },
             1, "Relu"},
            {"left: cast to integers",
             [] {
               Image n;
               return n.to({n.op("Cast", {n.x}, {{"to", 7}})});
             },
             0, "Cast"},
            {"mean of means",
             [] {
               Image n;
               const ValueId rows = n.op("ReduceMean", {n.x, n.list({2})}, {{"keepdims", 0}});
               return n.to({n.op("ReduceMean", {rows, n.list({2})}, {{"keepdims", 0}})});
             },
             1, "ReduceMean"},
            {"mean of means, kept",
             [] {
               Image n;
               const ValueId rows = n.op("ReduceMean", {n.x, n.list({-1})});
               return n.to({n.op("ReduceMean", {rows, n.list({2})})});
             },
             1, "ReduceMean"},
            {"mean of an image that lies channels-last",
             [] {
               Image n;
               const ValueId last = transpose(n, n.x, {0, 2, 3, 1});
               return n.to({n.op("ReduceMean", {last, n.list({1, 2})}, {{"keepdims", 0}})});
             },
             1, "GlobalAveragePool Flatten"},
            {"left: mean over columns and channels",
             [] {
               Image n;
               const ValueId last = transpose(n, n.x, {0, 2, 3, 1});
               return n.to({n.op("ReduceMean", {last, n.list({2, 3})}, {{"keepdims", 0}})});
             },
             0, "Transpose ReduceMean"},
        });
}

TEST(LayoutPatterns, RemoveBroadcasts) {
  check(remove_broadcasts,
        {
            {"expand to the other operand",
             [] {
               Image n;
               const ValueId gate = n.op("GlobalAveragePool", {n.x});
               const ValueId wide = n.op("Expand", {gate, n.op("Shape", {n.x})});
               return n.to({n.op("Mul", {wide, n.x})});
             },
             1, "GlobalAveragePool Mul"},
            {"tile",
             [] {
               Image n;
               const ValueId gate = n.op("GlobalAveragePool", {n.x});
               return n.to({n.op("Add", {n.x, n.op("Tile", {gate, n.list({1, 1, 6, 6})})})});
             },
             1, "GlobalAveragePool Add"},
            {"both operands",
             [] {
               Image n;
               const ValueId rows = n.op("ReduceMean", {n.x, n.list({2})});
               const ValueId columns = n.op("ReduceMean", {n.x, n.list({3})});
               const ValueId shape = n.op("Shape", {n.x});
               return n.to({n.op(
                   "Sub", {n.op("Expand", {rows, shape}), n.op("Expand", {columns, shape})})});
             },
             2, "ReduceMean ReduceMean Sub"},
            {"left: the other operand is small, too",
             [] {
               Image n;
               const ValueId gate = n.op("GlobalAveragePool", {n.x});
               const ValueId wide = n.op("Expand", {gate, n.op("Shape", {n.x})});
               return n.to({n.op("Mul", {wide, n.number(2)})});
             },
             0, "GlobalAveragePool Shape Expand Mul"},
            {"left: tiles of more than one",
             [] {
               Net n({-1, 3, 1, 3});
               const ValueId wide = n.op("Tile", {n.x, n.list({1, 1, 1, 2})});
               return n.to({n.op("Mul", {wide, n.c({3, 4, 6})})});
             },
             0, "Tile Mul"},
            {"left: read by an operator that does not broadcast",
             [] {
               Image n;
               const ValueId gate = n.op("GlobalAveragePool", {n.x});
               const ValueId wide = n.op("Expand", {gate, n.op("Shape", {n.x})});
               return n.to({n.op("Concat", {wide, n.x}, {{"axis", 1}})});
             },
             0, "GlobalAveragePool Shape Expand Concat"},
        });
}

}  // namespace
}  // namespace octet
