#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "passes/parts.h"

namespace octet {
namespace {

/// What an operand holds, by dimension; the batch may be open.
struct Heads {
  int64_t batch;
  int64_t heads;
  int64_t length;
  int64_t size;     ///< of a head
  bool in_one_row;  ///< [batch, length, heads * size] instead of [batch, heads, length, size]
};

/// nullopt where only the run can tell.
std::optional<Heads> heads_of(const Graph& graph, ValueId id, int64_t heads) {
  if (id == kAbsent || graph.is_constant(id)) return std::nullopt;
  const Value& value = graph.value(id);
  const Shape& shape = value.shape;
  if (!value.shape_known || value.dtype != DType::Float32 || shape.size() < 3) return std::nullopt;
  const bool fixed = std::all_of(shape.begin() + 1, shape.end(), [](int64_t d) { return d > 0; });
  if (!fixed) return std::nullopt;
  if (shape.size() == 4) return Heads{shape[0], shape[1], shape[2], shape[3], false};
  if (shape.size() != 3 || heads <= 0 || shape[2] % heads != 0) return std::nullopt;
  return Heads{shape[0], heads, shape[1], shape[2] / heads, true};
}

struct Attention {
  Heads q, k, v;
  float scale;
  float cap;
  std::optional<Tensor> bias;  ///< added to the scores

  int64_t group() const { return q.heads / k.heads; }
};

/// Queries (or 1) and keys of a mask.
std::pair<int64_t, int64_t> mask_size(const Shape& shape) {
  const size_t rank = shape.size();
  return {rank < 2 ? 1 : shape[rank - 2], shape[rank - 1]};
}

/// What the mask adds to the score at an index.
float bias_at(const Tensor& mask, int64_t index) {
  const auto at = static_cast<size_t>(index);
  if (mask.dtype != DType::Bool) return std::max(mask.as<float>()[at], kMasked);
  return mask.bytes[at] != std::byte{0} ? 0 : kMasked;
}

/// The mask and that of `is_causal`, for `rows` queries and `columns` keys. A mask that is shorter
/// than the keys hides the rest.
Tensor bias_of(const Tensor* mask, bool causal, int64_t rows, int64_t columns) {
  const auto [mask_rows, mask_columns] = mask ? mask_size(mask->shape) : std::pair{rows, columns};
  Shape shape;
  if (mask && mask->shape.size() > 2) shape.assign(mask->shape.begin(), mask->shape.end() - 2);
  const int64_t matrices = element_count(shape);
  if (!causal) rows = mask_rows;
  shape.insert(shape.end(), {rows, columns});
  Tensor bias(DType::Float32, shape);
  auto next = bias.as<float>().begin();
  for (int64_t matrix = 0; matrix < matrices; ++matrix) {
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t from = (matrix * mask_rows + std::min(row, mask_rows - 1)) * mask_columns;
      for (int64_t column = 0; column < columns; ++column) {
        const bool hidden = column >= mask_columns || (causal && column > row);
        *next++ = hidden ? kMasked : mask ? bias_at(*mask, from + column) : 0;
      }
    }
  }
  return bias;
}

/// Whether the mask is one that `bias_of` reads.
bool is_mask(const Tensor& mask, const Attention& attention) {
  if (mask.dtype != DType::Bool && mask.dtype != DType::Float32) return false;
  if (mask.shape.empty() || mask.shape.size() > 4 || mask.size() == 0) return false;
  const auto [rows, columns] = mask_size(mask.shape);
  return (rows == 1 || rows == attention.q.length) && columns <= attention.k.length;
}

bool only_first_output_is_read(const Graph& graph, const Node& node) {
  return std::all_of(node.outputs.begin() + 1, node.outputs.end(), [&](ValueId out) {
    return out == kAbsent || (graph.users(out).empty() && !graph.is_output(out));
  });
}

/// nullopt: there is a past, a computed mask, or a dimension that only the run can tell.
std::optional<Attention> attention_of(const Graph& graph, const Node& node) {
  for (const size_t state : {4, 5, 6}) {
    if (node.input(state) != kAbsent) return std::nullopt;
  }
  const int64_t precision = node.integer("softmax_precision", 0);
  const bool precise = precision == 0 || precision == 1 || precision == 11;
  if (!precise || !only_first_output_is_read(graph, node)) return std::nullopt;
  const auto q = heads_of(graph, node.input(0), node.integer("q_num_heads", 0));
  const auto k = heads_of(graph, node.input(1), node.integer("kv_num_heads", 0));
  const auto v = heads_of(graph, node.input(2), node.integer("kv_num_heads", 0));
  if (!q || !k || !v) return std::nullopt;
  const bool fits = q->heads % k->heads == 0 && k->heads == v->heads && k->length == v->length &&
                    q->size == k->size && q->batch == k->batch && k->batch == v->batch;
  const float root = std::sqrt(static_cast<float>(q->size));
  Attention found{*q, *k, *v, node.number("scale", 1 / root), node.number("softcap", 0), {}};
  const Tensor* mask = graph.constant_input(node, 3);
  const bool computed = node.input(3) != kAbsent && !mask;
  if (!fits || !(found.scale > 0) || computed || (mask && !is_mask(*mask, found))) {
    return std::nullopt;
  }
  const bool causal = node.integer("is_causal", 0) != 0;
  if (mask || causal) found.bias = bias_of(mask, causal, q->length, k->length);
  return found;
}

ValueId reshaped(Parts& parts, const std::string& part, ValueId x,
                 const std::vector<int64_t>& shape) {
  return parts.op("Reshape", part, {x, parts.list(part + " shape", shape)});
}

/// [batch, heads, length, size], or with `keys` [batch, heads, size, length].
ValueId split_heads(Parts& parts, const std::string& part, ValueId x, const Heads& from,
                    bool keys = false) {
  std::vector<int64_t> order{0, 1, 3, 2};
  if (from.in_one_row) {
    x = reshaped(parts, part + " heads", x, {from.batch, from.length, from.heads, from.size});
    order = keys ? std::vector<int64_t>{0, 2, 3, 1} : std::vector<int64_t>{0, 2, 1, 3};
  } else if (!keys) {
    return x;
  }
  return parts.op("Transpose", part, {x}, {{"perm", order}});
}

/// Queries, a group of which share a key: as more queries of one head, so that no key is copied.
/// The scale stands last, where it changes a scale and no integer.
ValueId queries(Parts& parts, ValueId x, const Attention& what) {
  const Heads& q = what.q;
  x = split_heads(parts, "queries", x, q);
  if (what.group() > 1) {
    x = reshaped(parts, "grouped queries", x,
                 {q.batch, what.k.heads, what.group() * q.length, q.size});
  }
  if (what.scale == 1) return x;
  return parts.op("Mul", "scaled", {x, parts.number("scale", what.scale)});
}

/// The shares of the keys: the bias, the softcap and the softmax of the scores.
ValueId shares(Parts& parts, ValueId scores, const Attention& what) {
  const auto& [q, k, v, scale, cap, bias] = what;
  const bool apart = bias && what.group() > 1;
  if (apart) {
    scores = reshaped(parts, "scores by head", scores, {q.batch, q.heads, q.length, k.length});
  }
  if (bias) scores = parts.op("Add", "masked", {scores, parts.constant("mask", *bias)});
  if (cap > 0) {
    scores = parts.op("Mul", "over cap", {scores, parts.number("1/cap", 1 / cap)});
    scores = parts.op("Tanh", "bounded", {scores});
    scores = parts.op("Mul", "capped", {scores, parts.number("cap", cap)});
  }
  const ValueId taken = parts.op("Softmax", "shares", {scores}, {{"axis", int64_t{-1}}});
  if (!apart) return taken;
  return reshaped(parts, "grouped shares", taken,
                  {q.batch, k.heads, what.group() * q.length, k.length});
}

/// Scaled dot-product attention (https://arxiv.org/pdf/1706.03762) as two products and a softmax.
bool lower_attention(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  const auto what = attention_of(graph, node);
  if (!what) return false;
  const auto& [q, k, v, scale, cap, bias] = *what;
  Parts parts(graph, id);
  const ValueId rows = queries(parts, node.inputs[0], *what);
  const ValueId columns = split_heads(parts, "keys", node.inputs[1], k, true);
  const ValueId scores = parts.op("MatMul", "scores", {rows, columns});
  const ValueId taken = shares(parts, scores, *what);
  const ValueId values = split_heads(parts, "values", node.inputs[2], v);
  ValueId out = parts.op("MatMul", "result", {taken, values});
  if (what->group() > 1) {
    out = reshaped(parts, "result by head", out, {q.batch, q.heads, q.length, v.size});
  }
  if (q.in_one_row) {
    const std::vector<int64_t> order{0, 2, 1, 3};
    out = parts.op("Transpose", "result turned", {out}, {{"perm", order}});
    reshaped(parts, "result in rows", out, {q.batch, q.length, q.heads * v.size});
  }
  parts.finish();
  return true;
}

// --- RotaryEmbedding -----------------------------------------------------------------------------

/// Where the angle of a place of a head stands in the caches, and the place that it is paired with.
struct Turn {
  int64_t angle;  ///< -1: the place is not turned
  int64_t partner;
  float sign;  ///< of the partner's product with the sine
};

struct Rotation {
  Heads x;
  int64_t turned;
  bool interleaved;
  const Tensor* cosine;
  const Tensor* sine;
  const Tensor* positions;  ///< nullptr: the caches hold a row per token

  Turn turn(int64_t place) const {
    if (place >= turned) return {-1, place, 0};
    const int64_t half = turned / 2;
    const bool first = interleaved ? place % 2 == 0 : place < half;
    const int64_t away = interleaved ? 1 : half;
    return {interleaved ? place / 2 : place % half, first ? place + away : place - away,
            first ? -1.0F : 1.0F};
  }
  /// Batch and tokens of what is constant.
  Shape tokens() const {
    const Shape& shape = positions ? positions->shape : cosine->shape;
    return {shape.begin(), shape.begin() + 2};
  }
  /// The caches' row for token `index` of all.
  int64_t row(int64_t index) const {
    return positions ? positions->as<int64_t>()[static_cast<size_t>(index)] : index;
  }
};

/// The caches hold what the rows ask for.
bool is_whole(const Rotation& found) {
  const Shape& cache = found.cosine->shape;
  const Shape& from = found.positions ? found.positions->shape : cache;
  const bool ranks = cache.size() == (found.positions ? 2U : 3U) &&
                     from.size() == (found.positions ? 2U : 3U) && found.sine->shape == cache;
  if (!ranks || found.turned % 2 != 0 || found.turned > found.x.size) return false;
  if (cache.back() < found.turned / 2 || from[1] != found.x.length) return false;
  if (from[0] != 1 && from[0] != found.x.batch) return false;
  if (!found.positions) return true;
  return std::ranges::all_of(found.positions->as<int64_t>(), [&](int64_t position) {
    return position >= 0 && position < cache[0];
  });
}

std::optional<Rotation> rotation_of(const Graph& graph, const Node& node) {
  const auto x = heads_of(graph, node.input(0), node.integer("num_heads", 0));
  const Tensor* cosine = graph.constant_input(node, 1);
  const Tensor* sine = graph.constant_input(node, 2);
  const Tensor* positions = graph.constant_input(node, 3);
  if (!x || !cosine || !sine || (node.input(3) != kAbsent && !positions)) return std::nullopt;
  if (cosine->dtype != DType::Float32 || sine->dtype != DType::Float32) return std::nullopt;
  if (positions && positions->dtype != DType::Int64) return std::nullopt;
  const int64_t stated = node.integer("rotary_embedding_dim", 0);
  const Rotation found{
      *x,       stated > 0 ? stated : x->size, node.integer("interleaved", 0) != 0, cosine, sine,
      positions};
  return is_whole(found) ? std::optional(found) : std::nullopt;
}

/// A factor for each place of x, to be broadcast over what it does not depend on; `factor` is given
/// the turn of a place and the place of its angle in the caches.
template <class Factor>
Tensor factors(const Rotation& what, Factor factor) {
  const Shape tokens = what.tokens();
  const int64_t heads = what.x.in_one_row ? what.x.heads : 1;
  Shape shape{tokens[1], heads * what.x.size};
  if (tokens[0] > 1) shape.insert(shape.begin(), tokens[0]);
  if (tokens[0] > 1 && !what.x.in_one_row) shape.insert(shape.begin() + 1, 1);
  Tensor made(DType::Float32, shape);
  auto next = made.as<float>().begin();
  for (int64_t token = 0; token < tokens[0] * tokens[1]; ++token) {
    for (int64_t place = 0; place < heads * what.x.size; ++place) {
      const Turn turn = what.turn(place % what.x.size);
      const int64_t at =
          what.row(token) * what.cosine->shape.back() + std::max(turn.angle, int64_t{0});
      *next++ = factor(turn, static_cast<size_t>(at));
    }
  }
  return made;
}

/// Rotary position embedding (https://arxiv.org/pdf/2104.09864): x * cos + partners of x * (-)sin.
/// Places that are not turned are multiplied by 1 and 0.
bool lower_rotary(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  const auto what = rotation_of(graph, node);
  if (!what) return false;
  const int64_t heads = what->x.in_one_row ? what->x.heads : 1;
  std::vector<int64_t> partners;
  for (int64_t place = 0; place < heads * what->x.size; ++place) {
    const int64_t inside = place % what->x.size;
    partners.push_back(place - inside + what->turn(inside).partner);
  }
  Tensor cosine = factors(*what, [&](const Turn& turn, size_t at) {
    return turn.angle < 0 ? 1 : what->cosine->as<float>()[at];
  });
  Tensor sine = factors(*what, [&](const Turn& turn, size_t at) {
    return turn.angle < 0 ? 0 : turn.sign * what->sine->as<float>()[at];
  });
  Parts parts(graph, id);
  const ValueId x = node.inputs[0];
  const ValueId along = parts.op("Mul", "along", {x, parts.constant("cosine", std::move(cosine))});
  const ValueId other =
      parts.op("Gather", "partners", {x, parts.list("partner", partners)}, {{"axis", int64_t{-1}}});
  const ValueId across =
      parts.op("Mul", "across", {other, parts.constant("sine", std::move(sine))});
  parts.op("Add", "turned", {along, across});
  parts.finish();
  return true;
}

constexpr std::array kAttentionLowerings{
    OperatorLowering{"Attention", lower_attention},
    OperatorLowering{"RotaryEmbedding", lower_rotary},
};

}  // namespace

std::span<const OperatorLowering> attention_lowerings() { return kAttentionLowerings; }

}  // namespace octet
