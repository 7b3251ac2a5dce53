#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>

#include "base/fail.h"
#include "ops/families.h"

namespace octet {
namespace {

/// [batch, sequence, heads * size] as [batch, heads, sequence, size]; four dimensions stay.
at::Tensor split_heads(const OpCall& call, const at::Tensor& x, std::string_view attribute) {
  if (x.dim() == 4) return x;
  const int64_t heads = call.node.integer(attribute, 0);
  if (x.dim() != 3 || heads <= 0 || x.size(2) % heads != 0) {
    fail(Code::Model, "{}: an input of rank {} with {}={}; wanted rank 4, or 3 and whole heads",
         describe(call.node), x.dim(), attribute, heads);
  }
  return x.reshape({x.size(0), x.size(1), heads, -1}).transpose(1, 2);
}

/// The way back.
at::Tensor join_heads(const at::Tensor& x) { return x.transpose(1, 2).flatten(2); }

/// Each head `times` times, one after the other: groups of queries share a key and a value
/// (https://arxiv.org/pdf/2305.13245).
at::Tensor repeat_heads(const at::Tensor& x, int64_t times) {
  if (times == 1) return x;
  return x.unsqueeze(2).expand({-1, -1, times, -1, -1}).flatten(1, 2);
}

/// 0 where `take`, minus infinity elsewhere: what is added to the scores.
at::Tensor bias_of(const at::Tensor& take, at::ScalarType type) {
  return at::zeros_like(take, type).masked_fill(take.logical_not(), -kInfinity);
}

/// The scores with the mask of the input, that of `is_causal` and that of the padding added.
at::Tensor masked(const OpCall& call, at::Tensor scores, int64_t past) {
  const int64_t rows = scores.size(2);
  const int64_t columns = scores.size(3);
  const at::ScalarType type = scores.scalar_type();
  if (call.has(3)) {
    const at::Tensor& mask = call.in(3);
    at::Tensor bias = mask.scalar_type() == at::kBool ? bias_of(mask, type) : mask.to(type);
    const int64_t missing = columns - bias.size(-1);
    if (missing > 0) bias = at::constant_pad_nd(bias, {0, missing}, -kInfinity);
    scores = scores + bias;
  }
  const at::Tensor column = at::arange(columns, at::kLong);
  if (call.node.integer("is_causal", 0) != 0) {
    const at::Tensor row = at::arange(rows, at::kLong).unsqueeze(1);
    scores = scores + bias_of(column.le(row + past), type);
  }
  if (call.has(6)) scores = scores + bias_of(column.lt(call.in(6).reshape({-1, 1, 1, 1})), type);
  return scores;
}

/// In the type that `softmax_precision` states, an ONNX number of a type.
at::Tensor softmax(const OpCall& call, const at::Tensor& scores) {
  at::ScalarType precision = scores.scalar_type();
  switch (call.node.integer("softmax_precision", 0)) {
    case 0: break;
    case 1: precision = at::kFloat; break;
    case 10: precision = at::kHalf; break;
    case 11: precision = at::kDouble; break;
    case 16: precision = at::kBFloat16; break;
    default:
      fail(Code::Model, "{}: softmax_precision={} is no floating-point type", describe(call.node),
           call.node.integer("softmax_precision", 0));
  }
  return at::softmax(scores.to(precision), -1).to(scores.scalar_type());
}

/// Which of the stages of the scores is put out.
size_t stage_of(const OpCall& call) {
  const int64_t mode = call.node.integer("qk_matmul_output_mode", 0);
  if (mode < 0 || mode > 3) {
    fail(Code::Model, "{}: qk_matmul_output_mode={}; wanted 0 to 3", describe(call.node), mode);
  }
  return static_cast<size_t>(mode);
}

/// Scaled dot-product attention, the operator of opset 24 (https://arxiv.org/pdf/1706.03762). The
/// outputs: the result, the keys and the values so far, and the scores as `qk_matmul_output_mode`
/// wants them: as they are, masked, capped, or normalized.
std::vector<at::Tensor> run_attention(const OpCall& call) {
  const at::Tensor q = split_heads(call, call.in(0), "q_num_heads");
  at::Tensor k = split_heads(call, call.in(1), "kv_num_heads");
  at::Tensor v = split_heads(call, call.in(2), "kv_num_heads");
  const int64_t past = call.has(4) ? call.in(4).size(2) : 0;
  if (call.has(4)) k = at::cat({call.in(4), k}, 2);
  if (call.has(5)) v = at::cat({call.in(5), v}, 2);
  if (k.size(1) == 0 || q.size(1) % k.size(1) != 0) {
    fail(Code::Model, "{}: {} heads of queries cannot share {} heads of keys", describe(call.node),
         q.size(1), k.size(1));
  }
  const int64_t group = q.size(1) / k.size(1);
  // The root on both sides, as the specification has it, against overflow in half precision.
  const double head = 1 / std::sqrt(static_cast<double>(q.size(3)));
  const double root = std::sqrt(call.node.has("scale") ? call.node.number("scale", 1) : head);
  std::vector<at::Tensor> scores;
  scores.push_back(at::matmul(q * root, repeat_heads(k, group).transpose(2, 3) * root));
  scores.push_back(masked(call, scores.back(), past));
  const double cap = call.node.number("softcap", 0);
  scores.push_back(cap > 0 ? at::tanh(scores.back() / cap) * cap : scores.back());
  scores.push_back(softmax(call, scores.back()));
  const at::Tensor out = at::matmul(scores.back(), repeat_heads(v, group));
  return {call.in(0).dim() == 3 ? join_heads(out) : out, k, v, scores[stage_of(call)]};
}

/// The rows of a cache at the given positions, or the cache as it is, for each head.
at::Tensor angles(const at::Tensor& cache, const at::Tensor& positions, int64_t half) {
  at::Tensor rows = cache;
  if (positions.defined()) {
    rows = cache.index_select(0, positions.reshape({-1}))
               .reshape({positions.size(0), positions.size(1), cache.size(1)});
  }
  return rows.narrow(-1, 0, half).unsqueeze(-3);
}

/// Rotary position embedding (https://arxiv.org/pdf/2104.09864): pairs of numbers of a head are
/// turned by angles that grow with the position; a pair is an even and an odd place where
/// `interleaved`, else a place in each half.
std::vector<at::Tensor> run_rotary_embedding(const OpCall& call) {
  const at::Tensor x = split_heads(call, call.in(0), "num_heads");
  const int64_t stated = call.node.integer("rotary_embedding_dim", 0);
  const int64_t turned = stated > 0 ? stated : x.size(3);
  const at::Tensor cosine = angles(call.in(1), call.in(3), turned / 2);
  const at::Tensor sine = angles(call.in(2), call.in(3), turned / 2);
  // Pairs along a dimension of their own.
  const int64_t pair = call.node.integer("interleaved", 0) != 0 ? -1 : -2;
  const at::Tensor pairs = pair == -1 ? x.narrow(3, 0, turned).unflatten(3, {turned / 2, 2})
                                      : x.narrow(3, 0, turned).unflatten(3, {2, turned / 2});
  const at::Tensor first = pairs.select(pair, 0);
  const at::Tensor second = pairs.select(pair, 1);
  const at::Tensor rotated =
      at::stack({cosine * first - sine * second, sine * first + cosine * second}, pair).flatten(3);
  const at::Tensor out = at::cat({rotated, x.narrow(3, turned, x.size(3) - turned)}, 3);
  return {call.in(0).dim() == 3 ? join_heads(out) : out};
}

}  // namespace

std::vector<OpDef> attention_ops() {
  constexpr FloatOnly kParts{"it has to be rewritten into parts first"};
  return {
      {.name = "Attention",
       .attributes = {{"is_causal", "kv_num_heads", "q_num_heads", "qk_matmul_output_mode", "scale",
                       "softcap", "softmax_precision"}},
       .data_inputs = 6,
       .run = run_attention,
       .quant = kParts,
       .statistics = Statistics{}},
      {.name = "RotaryEmbedding",
       .attributes = {{"interleaved", "num_heads", "rotary_embedding_dim"}},
       .data_inputs = 3,
       .run = run_rotary_embedding,
       .quant = kParts,
       .statistics = Statistics{}},
  };
}

}  // namespace octet
