// Attention, rotary positions, Einsum and LpNormalization: both files against the simulation and
// against the exact dialects.
#include "pipeline/parity.h"

namespace octet {
namespace {

using namespace test;

/// The image as 36 tokens of 8 numbers.
ValueId tokens(SmallNet& n) {
  const ValueId flat = n.op("Reshape", {n.x, n.list({0, 3, 36})});
  const ValueId turned = n.op("Transpose", {flat}, {{"perm", L{0, 2, 1}}});
  return n.op("MatMul", {turned, n.c({3, 8})});
}

/// Two heads of queries; keys and values of `shared` heads.
ValueId attention(SmallNet& n, SmallNet::Attributes more = {}, ValueId mask = kAbsent,
                  int64_t shared = 2) {
  const ValueId x = tokens(n);
  more["q_num_heads"] = int64_t{2};
  more["kv_num_heads"] = shared;
  std::vector<ValueId> inputs{x, n.op("MatMul", {x, n.c({8, 4 * shared})}),
                              n.op("MatMul", {x, n.c({8, 4 * shared})})};
  if (mask != kAbsent) inputs.push_back(mask);
  return n.op("MatMul", {n.op("Attention", inputs, more), n.c({8, 5})});
}

ValueId einsum(SmallNet& n, const char* equation, ValueId a, ValueId b) {
  return n.op("Einsum", {a, b}, {{"equation", std::string(equation)}});
}

ValueId rotary(SmallNet& n, int64_t interleaved) {
  return n.op("RotaryEmbedding", {tokens(n), n.c({1, 36, 2}), n.c({1, 36, 2})},
              {{"num_heads", int64_t{2}}, {"interleaved", interleaved}});
}

ValueId normalized(SmallNet& n, int64_t axis, int64_t p) {
  return n.op("LpNormalization", {n.mixed(n.x)}, {{"axis", axis}, {"p", p}});
}

// Files differ from the simulation in float by what their products and softmax round.
const std::vector<ParityCase>& attention_cases() {
  static const std::vector<ParityCase> all{
      {"Attention", [](SmallNet& n) { return attention(n); }, 3, 5},
      {"AttentionOfSharedKeys", [](SmallNet& n) { return attention(n, {}, kAbsent, 1); }, 3, 4},
      {"AttentionCausal", [](SmallNet& n) { return attention(n, {{"is_causal", int64_t{1}}}); }, 3,
       4},
      {"AttentionMasked", [](SmallNet& n) { return attention(n, {}, n.mask({1, 2, 36, 36}), 1); },
       3, 5},
      {"AttentionBiased",
       [](SmallNet& n) { return attention(n, {{"scale", 1.0F}}, n.c({2, 36, 36})); }, 3, 4},
      {"AttentionCapped", [](SmallNet& n) { return attention(n, {{"softcap", 2.0F}}); }, 3, 4},
      {"RotaryHalves", [](SmallNet& n) { return rotary(n, 0); }, 2, 3},
      {"RotaryNeighbours", [](SmallNet& n) { return rotary(n, 1); }, 2, 3},
      {"EinsumScores",
       [](SmallNet& n) {
         const ValueId x = n.op("Reshape", {tokens(n), n.list({0, 36, 2, 4})});
         return einsum(n, "bqhd,bkhd->bhqk", x, x);
       },
       1, 1},
      {"EinsumWeight",
       [](SmallNet& n) { return einsum(n, "bsd,dhk->bhsk", tokens(n), n.c({8, 2, 3})); }, 1, 1},
      {"EinsumChannels",
       [](SmallNet& n) { return einsum(n, "bchw,kc->bkhw", n.mixed(n.x), n.c({5, 3})); }, 1, 1},
      {"EinsumGate",
       [](SmallNet& n) {
         const ValueId pooled = n.op("GlobalAveragePool", {n.mixed(n.x)});
         return einsum(n, "bchw,bc->bchw", n.x, n.op("Flatten", {pooled}));
       },
       1, 2},
      {"NormalizedChannels", [](SmallNet& n) { return normalized(n, 1, 2); }, 3, 4},
      {"NormalizedColumnsBySizes", [](SmallNet& n) { return normalized(n, -1, 1); }, 3, 4},
  };
  return all;
}

class AttentionParity : public ::testing::TestWithParam<ParityCase> {};

TEST_P(AttentionParity, BothFilesComputeWhatIsSimulated) { check_parity(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Networks, AttentionParity, ::testing::ValuesIn(attention_cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace octet
