#pragma once

#include "ops/example.h"
#include "ops/examples/attention_twin.h"

namespace octet::test {

inline std::vector<OpExample> rotary_examples() {
  const auto token_rows = [] {
    return Operand{Operand::Kind::Input, Tensor::of<int64_t>({2, 3}, L{4, 0, 2, 3, 1, 4})};
  };
  std::vector<OpExample> examples{
      {"RotaryEmbedding", "full", {x({2, 4, 3, 6}), c({5, 3}), c({5, 3}), token_rows()}},
      {"RotaryEmbedding",
       "interleaved",
       {x({2, 4, 3, 6}), c({5, 3}), c({5, 3}), token_rows()},
       {{"interleaved", 1}}},
      {"RotaryEmbedding",
       "a part, heads in one row",
       {x({2, 3, 24}), c({5, 2}), c({5, 2}), token_rows()},
       {{"num_heads", 4}, {"rotary_embedding_dim", 4}}},
      {"RotaryEmbedding", "angles per token", {x({2, 4, 3, 6}), c({2, 3, 3}), c({2, 3, 3})}},
  };
  for (OpExample& example : examples) example.reference = rotary_twin;
  return examples;
}

/// ONNX Runtime has Attention and RotaryEmbedding from opset 23 on only.
inline std::vector<OpExample> attention_examples() {
  const auto q = [] { return x({2, 4, 3, 6}, -2, 2); };
  const auto k = [] { return x({2, 2, 5, 6}, -2, 2); };
  const auto v = [] { return x({2, 2, 5, 7}, -2, 2); };
  const auto truths = [](Shape shape) { return as(DType::Bool, c(std::move(shape), -1, 3)); };
  const auto past = [](int64_t size) { return x({2, 2, 4, size}); };
  std::vector<OpExample> examples{
      {"Attention", "groups of queries", {q(), k(), v()}},
      {"Attention", "scale", {q(), k(), v()}, {{"scale", 0.3F}}},
      {"Attention", "causal", {q(), k(), v()}, {{"is_causal", 1}}},
      {"Attention", "mask", {q(), k(), v(), x({3, 5})}},
      {"Attention", "mask per head", {q(), k(), v(), x({2, 4, 3, 5})}, {{"is_causal", 1}}},
      {"Attention", "short mask", {q(), k(), v(), x({3, 4})}},
      {"Attention", "truths", {q(), k(), v(), truths({2, 1, 3, 5})}},
      {"Attention", "softcap", {q(), k(), v()}, {{"softcap", 1.5F}}},
      {"Attention", "padding", {q(), k(), v(), absent(), absent(), absent(), list({2, 5})}},
      {"Attention", "softmax in double precision", {q(), k(), v()}, {{"softmax_precision", 11}}},
      {"Attention",
       "heads in one row",
       {x({2, 3, 12}), x({2, 5, 12}), x({2, 5, 15})},
       {{"q_num_heads", 3}, {"kv_num_heads", 3}}},
      {"Attention", "past", {q(), k(), v(), x({3, 9}), past(6), past(7)}, {{"is_causal", 1}}, 3},
  };
  for (const int64_t mode : {0, 1, 2, 3}) {
    examples.push_back({"Attention",
                        "scores",
                        {q(), k(), v(), x({3, 5})},
                        {{"softcap", 2.0F}, {"qk_matmul_output_mode", mode}},
                        4});
  }
  for (OpExample& example : examples) example.reference = attention_twin;
  std::ranges::move(rotary_examples(), std::back_inserter(examples));
  return examples;
}

}  // namespace octet::test
