// Attention, RotaryEmbedding and LpNormalization in operators that have integer kernels.

#include <gtest/gtest.h>

#include "net.h"
#include "passes/passes.h"

namespace octet {
namespace {

using namespace test;

/// Truth values and positions are constants that other operators make.
Graph folded(Graph graph) {
  fold_constants(graph);
  return graph;
}

/// Five tokens of twelve numbers, with functions of them for keys and values.
struct Tokens : Net {
  Tokens() : Net({-1, 5, 12}) {}

  ValueId keys(int64_t size) { return op("MatMul", {x, c({12, size})}); }
  ValueId truths(const Shape& shape) { return op("Less", {c(shape), number(0.6F)}); }
  ValueId heads(ValueId in, int64_t count) {
    const ValueId split = op("Reshape", {in, list({0, 5, count, -1})});
    return op("Transpose", {split}, {{"perm", L{0, 2, 1, 3}}});
  }
  /// Self-attention with heads in one row.
  ValueId attention(Attributes more = {}, ValueId mask = kAbsent, int64_t shared = 3) {
    more.try_emplace("q_num_heads", 3);
    more.try_emplace("kv_num_heads", shared);
    std::vector<ValueId> inputs{x, keys(4 * shared), keys(4 * shared)};
    if (mask != kAbsent) inputs.push_back(mask);
    return op("Attention", inputs, more);
  }
};

#define QUERIES "MatMul MatMul Reshape Transpose Mul Reshape Transpose MatMul"
#define RESULT "Reshape Transpose MatMul Transpose Reshape"
#define SHARED "MatMul MatMul Reshape Transpose Reshape Mul Reshape Transpose MatMul"

TEST(LowerAttention, OfSeveralHeads) {
  check(lower_all,
        {
            {"heads in one row",
             [] {
               Tokens n;
               return n.to({n.attention()});
             },
             1, QUERIES " Softmax " RESULT},
            {"no scale, values of another size",
             [] {
               Tokens n;
               return n.to({n.op("Attention", {n.x, n.keys(12), n.keys(6)},
                                 {{"q_num_heads", 3}, {"kv_num_heads", 3}, {"scale", 1.0F}})});
             },
             1, "MatMul MatMul Reshape Transpose Reshape Transpose MatMul Softmax " RESULT},
            {"heads apart",
             [] {
               Tokens n;
               const ValueId q = n.heads(n.x, 2);
               return n.to({n.op("Attention", {q, n.op("Neg", {q}), q}, {{"scale", 0.3F}})});
             },
             1, "Reshape Transpose Neg Mul Transpose MatMul Softmax MatMul"},
            {"fewer queries than keys",
             [] {
               Tokens n;
               const ValueId q = n.op("Slice", {n.x, n.list({0}), n.list({2}), n.list({1})});
               return n.to({n.op("Attention", {q, n.x, n.x},
                                 {{"q_num_heads", 2}, {"kv_num_heads", 2}, {"is_causal", 1}})});
             },
             1, "Slice Reshape Transpose Mul Reshape Transpose MatMul Add Softmax " RESULT},
            {"queries share a key and a value",
             [] {
               Tokens n;
               return n.to({n.attention({}, kAbsent, 1)});
             },
             1, SHARED " Softmax Reshape Transpose MatMul Reshape Transpose Reshape"},
        });
}

TEST(LowerAttention, WithMasks) {
  check(lower_all,
        {
            {"causal",
             [] {
               Tokens n;
               return n.to({n.attention({{"is_causal", 1}})});
             },
             1, QUERIES " Add Softmax " RESULT},
            {"numbers per head",
             [] {
               Tokens n;
               return n.to({n.attention({}, n.c({3, 5, 5}, -3, 3))});
             },
             1, QUERIES " Add Softmax " RESULT},
            {"numbers per key",
             [] {
               Tokens n;
               return n.to({n.attention({}, n.c({5}))});
             },
             1, QUERIES " Add Softmax " RESULT},
            {"shorter than the keys, causal",
             [] {
               Tokens n;
               return n.to({n.attention({{"is_causal", 1}}, n.c({1, 3}))});
             },
             1, QUERIES " Add Softmax " RESULT},
            {"truths",
             [] {
               Tokens n;
               return folded(n.to({n.attention({}, n.truths({5, 5}))}));
             },
             1, QUERIES " Add Softmax " RESULT},
            {"softcap",
             [] {
               Tokens n;
               return n.to({n.attention({{"softcap", 1.5F}}, n.c({5, 5}))});
             },
             1, QUERIES " Add Mul Tanh Mul Softmax " RESULT},
            {"truths per head of queries that share a key",
             [] {
               Tokens n;
               return folded(n.to({n.attention({{"is_causal", 1}}, n.truths({1, 3, 1, 5}), 1)}));
             },
             1,
             SHARED " Reshape Add Softmax Reshape Reshape Transpose MatMul Reshape Transpose "
                    "Reshape"},
        });
}

TEST(LowerAttention, LeavesWhatItDoesNotKnow) {
  check(lower_all,
        {
            {"a computed mask",
             [] {
               Tokens n;
               const ValueId mask = n.op("Reshape", {n.keys(5), n.list({-1, 1, 5, 5})});
               return n.to({n.attention({}, mask)});
             },
             0, "MatMul Reshape MatMul MatMul Attention"},
            {"a past",
             [] {
               Tokens n;
               const ValueId q = n.heads(n.x, 2);
               return n.to({n.op("Attention", {q, q, q, kAbsent, q, q})});
             },
             0, "Reshape Transpose Attention"},
            {"padded keys",
             [] {
               Tokens n;
               const ValueId q = n.heads(n.x, 2);
               const ValueId absent = kAbsent;
               return n.to({n.op("Attention", {q, q, q, absent, absent, absent, n.list({3})})});
             },
             0, "Reshape Transpose Attention"},
            {"half precision",
             [] {
               Tokens n;
               return n.to({n.attention({{"softmax_precision", 10}})});
             },
             0, "MatMul MatMul Attention"},
            {"constant keys",
             [] {
               Tokens n;
               const ValueId q = n.heads(n.x, 2);
               return n.to({n.op("Attention", {q, n.c({1, 2, 5, 6}), q})});
             },
             0, "Reshape Transpose Attention"},
        });
}

TEST(LowerAttention, LeavesScoresThatAreRead) {
  for (const bool read : {false, true}) {
    Tokens n;
    const ValueId q = n.heads(n.x, 2);
    Graph graph = n.to({n.op("Attention", {q, q, q})});
    Node& node = graph.node(graph.order().back());
    for (const char* name : {"keys", "values", "scores"}) {
      node.outputs.push_back(graph.add_value(name));
    }
    if (read) graph.add_output(node.outputs[3]);
    infer_shapes(graph);
    EXPECT_EQ(lower_all(graph), read ? 0u : 1u);
  }
}

struct Rotary {
  int64_t size;  ///< numbers that are turned; 0: all
  int64_t interleaved;

  Attributes attributes() const {
    return {{"rotary_embedding_dim", size}, {"interleaved", interleaved}};
  }
};

TEST(LowerRotaryEmbedding, TurnsPairs) {
  check(lower_all,
        {
            {"halves",
             [] {
               Tokens n;
               const ValueId q = n.heads(n.x, 2);
               return n.to({n.op("RotaryEmbedding", {q, n.c({1, 5, 3}), n.c({1, 5, 3})})});
             },
             1, "Reshape Transpose Mul Gather Mul Add"},
            {"neighbours, a part of each head in one row",
             [] {
               Tokens n;
               Attributes attributes = Rotary{4, 1}.attributes();
               attributes["num_heads"] = 2;
               return n.to(
                   {n.op("RotaryEmbedding", {n.x, n.c({1, 5, 2}), n.c({1, 5, 2})}, attributes)});
             },
             1, "Mul Gather Mul Add"},
            {"halves of a part, at given positions",
             [] {
               Tokens n;
               const ValueId q = n.heads(n.x, 2);
               const ValueId rows = n.op("Reshape", {n.list({4, 0, 6, 2, 3}), n.list({1, 5})});
               return folded(n.to({n.op("RotaryEmbedding", {q, n.c({7, 3}), n.c({7, 3}), rows},
                                        Rotary{4, 0}.attributes())}));
             },
             1, "Reshape Transpose Mul Gather Mul Add"},
            {"images that differ",
             [] {
               Net n({2, 3, 5, 4});
               return n.to({n.op("RotaryEmbedding", {n.x, n.c({2, 5, 2}), n.c({2, 5, 2})})});
             },
             1, "Mul Gather Mul Add"},
            {"left: computed angles",
             [] {
               Tokens n;
               const ValueId angles = n.op("Slice", {n.x, n.list({0}), n.list({3}), n.list({2})});
               return n.to({n.op("RotaryEmbedding", {n.heads(n.x, 2), angles, angles})});
             },
             0, "Slice Reshape Transpose RotaryEmbedding"},
        });
}

TEST(LowerLpNormalization, DividesByTheNorm) {
  check(lower_all,
        {
            {"the root of squares",
             [] {
               Tokens n;
               return n.to({n.op("LpNormalization", {n.x})});
             },
             1, "Unsqueeze Unsqueeze MatMul Squeeze Add Sqrt Reciprocal Mul"},
            {"of channels",
             [] {
               Image n;
               return n.to({n.op("LpNormalization", {n.x}, {{"axis", 1}})});
             },
             1, "Transpose Unsqueeze Unsqueeze MatMul Squeeze Add Sqrt Reciprocal Mul Transpose"},
            {"sizes",
             [] {
               Image n;
               return n.to({n.op("LpNormalization", {n.x}, {{"axis", -2}, {"p", 1}})});
             },
             1, "Transpose Abs MatMul Add Reciprocal Mul Transpose"},
            {"left: over the batch",
             [] {
               Tokens n;
               return n.to({n.op("LpNormalization", {n.x}, {{"axis", 0}})});
             },
             0, "LpNormalization"},
        });
}

TEST(LowerLpNormalization, KeepsARowOfZeros) {
  for (const int64_t p : {1, 2}) {
    Tokens n;
    const ValueId nothing = n.op("Mul", {n.x, n.number(0)});
    Graph graph = n.to({n.op("LpNormalization", {nothing}, {{"p", p}})});
    infer_shapes(graph);
    EXPECT_EQ(lower_all(graph), 1u);
    EXPECT_EQ(outputs_for(graph, {2, 5, 12})[0].abs().max().item<float>(), 0);
  }
}

#undef QUERIES
#undef RESULT
#undef SHARED

}  // namespace
}  // namespace octet
