// The passes: what they change, what they leave alone, and that the network computes the same.

#include "passes/passes.h"

#include <gtest/gtest.h>

#include "net.h"

namespace octet {
namespace {

using namespace test;

TEST(Passes, RemoveIdentity) {
  check(remove_identity, {
                             {"between",
                              [] {
                                Image n;
                                return n.to({n.op("Relu", {n.op("Identity", {n.conv(n.x)})})});
                              },
                              1, "Conv Relu"},
                             {"after the input",
                              [] {
                                Image n;
                                return n.to({n.conv(n.op("Dropout", {n.x}))});
                              },
                              1, "Conv"},
                             {"two at the output",
                              [] {
                                Image n;
                                return n.to({n.op("Identity", {n.op("Dropout", {n.conv(n.x)})})});
                              },
                              2, "Conv"},
                             {"at the output, with another reader",
                              [] {
                                Image n;
                                const ValueId conv = n.conv(n.x);
                                const ValueId same = n.op("Identity", {conv});
                                return n.to({same, n.op("Relu", {conv})});
                              },
                              1, "Conv Relu"},
                             {"left: the input is the output",
                              [] {
                                Image n;
                                return n.to({n.op("Identity", {n.x})});
                              },
                              0, "Identity"},
                             {"left: both are outputs",
                              [] {
                                Image n;
                                const ValueId conv = n.conv(n.x);
                                return n.to({conv, n.op("Identity", {conv})});
                              },
                              0, "Conv Identity"},
                         });
}

TEST(Passes, FoldConstants) {
  check(fold_constants,
        {
            {"one",
             [] {
               Image n;
               return n.to({n.op("Add", {n.x, n.op("Relu", {n.c({6})})})});
             },
             1, "Add"},
            {"a chain",
             [] {
               Image n;
               const ValueId sum = n.op("Add", {n.c({3}), n.c({3})});
               return n.to({n.op("Mul", {n.x, n.op("Reshape", {sum, n.list({3, 1, 1})})})});
             },
             2, "Mul"},
            {"left: reads the input",
             [] {
               Image n;
               return n.to({n.conv(n.x)});
             },
             0, "Conv"},
            {"left: a graph output",
             [] {
               Image n;
               return n.to({n.conv(n.x), n.op("Add", {n.c({3}), n.c({3})})});
             },
             0, "Conv Add"},
        });
}

TEST(Passes, OpenBatch) {
  check(open_batch, {
                        {"reshape keeps the batch",
                         [] {
                           Net n({2, 3, 4, 4});
                           return n.to({n.op("Reshape", {n.x, n.list({2, 48})})});
                         },
                         1, "Reshape"},
                        {"left: open already",
                         [] {
                           Image n;
                           return n.to({n.conv(n.x)});
                         },
                         0, "Conv"},
                    });
  Net n({1, 3, 4, 4});
  Graph graph = n.to({n.op("Reshape", {n.x, n.list({1, -1})})});
  EXPECT_EQ(open_batch(graph), 1u);
  infer_shapes(graph);
  EXPECT_EQ(graph.value(graph.outputs()[0]).shape, (Shape{-1, 48}));
  EXPECT_EQ(outputs_for(graph, {5, 3, 4, 4})[0].size(0), 5);
}

/// "x.view(x.size(0), -1)", as PyTorch exports it.
ValueId exported_flatten(Net& n, ValueId in, int64_t rest) {
  const ValueId batch = n.op("Gather", {n.op("Shape", {in}), n.list({0})}, {{"axis", 0}});
  return n.op("Reshape", {in, n.op("Concat", {batch, n.list({rest})}, {{"axis", 0}})});
}

TEST(Passes, FreezeShapes) {
  check(freeze_shapes, {
                           {"the batch, then the rest",
                            [] {
                              Image n;
                              return n.to({exported_flatten(n, n.conv(n.x), -1)});
                            },
                            1, "Conv Reshape"},
                           {"the batch, then a number",
                            [] {
                              Image n;
                              return n.to({exported_flatten(n, n.conv(n.x), 64)});
                            },
                            1, "Conv Reshape"},
                           {"a size that is fixed",
                            [] {
                              Image n;
                              const ValueId rows = n.op(
                                  "Gather", {n.op("Shape", {n.x}), n.list({2})}, {{"axis", 0}});
                              const ValueId starts = n.list({0});
                              return n.to({n.op("Slice", {n.x, starts, rows, n.list({3})})});
                            },
                            1, "Slice"},
                           {"left: nothing is computed",
                            [] {
                              Image n;
                              return n.to({n.conv(n.x)});
                            },
                            0, "Conv"},
                       });
}

TEST(Passes, UnshareConstants) {
  check(unshare_constants,
        {
            {"two of one weight and bias",
             [] {
               Image n;
               const ValueId weight = n.c({3, 3, 1, 1});
               const ValueId bias = n.c({3});
               return n.to({n.op("Conv", {n.op("Conv", {n.x, weight, bias}), weight, bias})});
             },
             2, "Conv Conv"},
            {"left: each its own",
             [] {
               Image n;
               return n.to({n.conv(n.x), n.conv(n.x)});
             },
             0, "Conv Conv"},
        });
}

TEST(Passes, CanonicalizePooling) {
  check(canonicalize_pooling,
        {
            {"mean over the image",
             [] {
               Image n;
               return n.to({n.op("ReduceMean", {n.x, n.list({2, 3})})});
             },
             1, "GlobalAveragePool"},
            {"to a matrix, negative axes",
             [] {
               Image n;
               return n.to({n.op("ReduceMean", {n.x, n.list({-1, -2})}, {{"keepdims", 0}})});
             },
             1, "GlobalAveragePool Flatten"},
            {"pool of the whole image, with a reader",
             [] {
               Image n;
               const ValueId pooled = n.op("AveragePool", {n.x}, {{"kernel_shape", L{6, 6}}});
               return n.to({n.op("Relu", {pooled})});
             },
             1, "GlobalAveragePool Relu"},
            {"maximum over the image",
             [] {
               Image n;
               return n.to({n.op("ReduceMax", {n.x, n.list({2, 3})}, {{"keepdims", 0}})});
             },
             1, "GlobalMaxPool Flatten"},
            {"largest of the whole image",
             [] {
               Image n;
               return n.to({n.op("MaxPool", {n.x}, {{"kernel_shape", L{6, 6}}})});
             },
             1, "GlobalMaxPool"},
            {"left: dilations",
             [] {
               Image n;
               return n.to(
                   {n.op("MaxPool", {n.x}, {{"kernel_shape", L{3, 3}}, {"dilations", L{2, 2}}})});
             },
             0, "MaxPool"},
            {"left: pads",
             [] {
               Image n;
               return n.to({n.op("AveragePool", {n.x},
                                 {{"kernel_shape", L{6, 6}}, {"pads", L{1, 1, 1, 1}}})});
             },
             0, "AveragePool"},
            {"left: a part of the image",
             [] {
               Image n;
               return n.to({n.op("AveragePool", {n.x}, {{"kernel_shape", L{6, 3}}})});
             },
             0, "AveragePool"},
            {"left: auto_pad",
             [] {
               Image n;
               return n.to({n.op("AveragePool", {n.x},
                                 {{"kernel_shape", L{6, 6}}, {"auto_pad", "VALID"}})});
             },
             0, "AveragePool"},
            {"left: mean over channels",
             [] {
               Image n;
               return n.to({n.op("ReduceMean", {n.x, n.list({1})})});
             },
             0, "ReduceMean"},
            {"left: mean of everything",
             [] {
               Image n;
               return n.to({n.op("ReduceMean", {n.x})});
             },
             0, "ReduceMean"},
            {"left: not an image",
             [] {
               Net n({-1, 2, 3, 4, 5});
               return n.to({n.op("ReduceMean", {n.x, n.list({2, 3})})});
             },
             0, "ReduceMean"},
        });
}

TEST(Passes, LowerOperators) {
  const std::vector<PassCase> cases{
      {"HardSigmoid",
       [] {
         Image n;
         return n.to({n.op("HardSigmoid", {n.x}, {{"alpha", 0.3F}, {"beta", 0.4F}})});
       },
       1, "Mul Add Clip"},
      {"HardSwish, with a reader",
       [] {
         Image n;
         return n.to({n.op("Relu", {n.op("HardSwish", {n.x})})});
       },
       1, "Mul Add Clip Mul Relu"},
      {"Sub",
       [] {
         Image n;
         return n.to({n.op("Sub", {n.x, n.c({3, 1, 1})})});
       },
       1, "Add"},
      {"Div",
       [] {
         Image n;
         return n.to({n.op("Div", {n.x, n.c({3, 1, 1}, 1, 2)})});
       },
       1, "Mul"},
      {"Sub from a constant",
       [] {
         Image n;
         return n.to({n.op("Sub", {n.c({3, 1, 1}), n.x})});
       },
       1, "Mul Add"},
      {"Sub, both computed",
       [] {
         Image n;
         return n.to({n.op("Sub", {n.op("Relu", {n.x}), n.x})});
       },
       1, "Relu Mul Add"},
      {"left: a number minus a value is a table",
       [] {
         Image n;
         return n.to({n.op("Sub", {n.number(2), n.x})});
       },
       0, "Sub"},
      {"left: no other form",
       [] {
         Image n;
         return n.to({n.op("Tanh", {n.x})});
       },
       0, "Tanh"},
  };
  check([](Graph& graph) { return lower_operators(graph, [](auto) { return false; }); }, cases);
  for (const PassCase& row : cases) {
    Graph graph = row.make();
    EXPECT_EQ(lower_operators(graph, [](auto) { return true; }), 0u) << row.what;
  }
}

}  // namespace
}  // namespace octet
