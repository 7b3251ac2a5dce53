#pragma once

#include <array>
#include <cmath>
#include <limits>

#include "ops/example.h"

namespace octet::test {

/// [batch, heads, length, size], as the scalar twins see their inputs.
struct Heads {
  int64_t batch, heads, length, size;
  std::vector<double> values =
      std::vector<double>(static_cast<size_t>(batch * heads * length * size), 0.0);

  double& at(int64_t b, int64_t h, int64_t s, int64_t d) {
    return values[static_cast<size_t>(((b * heads + h) * length + s) * size + d)];
  }
  Tensor tensor() const { return floats({batch, heads, length, size}, values); }
  /// [batch, length, heads * size]
  Tensor joined() {
    std::vector<double> out;
    for (int64_t b = 0; b < batch; ++b)
      for (int64_t s = 0; s < length; ++s)
        for (int64_t h = 0; h < heads; ++h)
          for (int64_t d = 0; d < size; ++d) out.push_back(at(b, h, s, d));
    return floats({batch, length, heads * size}, out);
  }
};

inline Heads heads_of(const Tensor& tensor, int64_t heads) {
  const std::vector<double> numbers = numbers_of(tensor);
  const Shape& shape = tensor.shape;
  if (shape.size() == 4) return {shape[0], shape[1], shape[2], shape[3], numbers};
  Heads out{shape[0], heads, shape[1], shape[2] / heads};
  auto next = numbers.begin();
  for (int64_t b = 0; b < out.batch; ++b)
    for (int64_t s = 0; s < out.length; ++s)
      for (int64_t h = 0; h < heads; ++h)
        for (int64_t d = 0; d < out.size; ++d) out.at(b, h, s, d) = *next++;
  return out;
}

inline Heads appended(Heads past, Heads now) {
  Heads out{now.batch, now.heads, past.length + now.length, now.size};
  for (int64_t b = 0; b < out.batch; ++b)
    for (int64_t h = 0; h < out.heads; ++h)
      for (int64_t s = 0; s < out.length; ++s)
        for (int64_t d = 0; d < out.size; ++d) {
          out.at(b, h, s, d) =
              s < past.length ? past.at(b, h, s, d) : now.at(b, h, s - past.length, d);
        }
  return out;
}

/// What is added to the score of query i and key j.
class AttentionBias {
 public:
  AttentionBias(const OpExample& example, const Node& node, int64_t past)
      : causal_(node.integer("is_causal", 0) != 0), past_(past) {
    const auto& inputs = example.inputs;
    if (inputs.size() > 3 && inputs[3].kind != Operand::Kind::Absent) {
      shape_ = inputs[3].tensor.shape;
      truths_ = inputs[3].tensor.dtype == DType::Bool;
      mask_ = numbers_of(inputs[3].tensor);
      shape_.insert(shape_.begin(), 4 - shape_.size(), 1);
    }
    if (inputs.size() > 6) valid_ = numbers_of(inputs[6].tensor);
  }
  double operator()(int64_t b, int64_t h, int64_t i, int64_t j) const {
    constexpr double kNever = -std::numeric_limits<double>::infinity();
    if (causal_ && j > i + past_) return kNever;
    if (!valid_.empty() && static_cast<double>(j) >= valid_[static_cast<size_t>(b)]) return kNever;
    if (mask_.empty()) return 0;
    if (j >= shape_[3]) return kNever;
    int64_t place = 0;
    const std::array<int64_t, 4> wanted{b, h, i, j};
    for (size_t d = 0; d < 4; ++d) place = place * shape_[d] + (shape_[d] == 1 ? 0 : wanted[d]);
    const double number = mask_[static_cast<size_t>(place)];
    return !truths_ ? number : number != 0 ? 0 : kNever;
  }

 private:
  bool causal_;
  int64_t past_;
  bool truths_ = false;
  Shape shape_;
  std::vector<double> mask_;
  std::vector<double> valid_;
};

/// One row of scores through its four stages: as they are, masked, capped, normalized.
using Stages = std::array<std::vector<double>, 4>;
inline Stages stages_of(std::vector<double> raw, const std::vector<double>& bias, double cap) {
  Stages stages{raw, raw, raw, raw};
  double sum = 0;
  for (size_t j = 0; j < raw.size(); ++j) {
    stages[1][j] = raw[j] + bias[j];
    stages[2][j] = cap > 0 ? cap * std::tanh(stages[1][j] / cap) : stages[1][j];
    sum += stages[3][j] = std::exp(stages[2][j]);
  }
  for (double& share : stages[3]) share /= sum;
  return stages;
}

/// Attention of opset 24, number by number.
inline std::vector<Tensor> attention_twin(const OpExample& example) {
  const Node node{.name = "", .op = "", .attributes = example.attributes};
  const auto tensor = [&](size_t index) { return example.inputs[index].tensor; };
  Heads q = heads_of(tensor(0), node.integer("q_num_heads", 0));
  Heads k = heads_of(tensor(1), node.integer("kv_num_heads", 0));
  Heads v = heads_of(tensor(2), node.integer("kv_num_heads", 0));
  int64_t past = 0;
  if (example.inputs.size() > 5 && example.inputs[4].kind != Operand::Kind::Absent) {
    past = tensor(4).shape[2];
    k = appended(heads_of(tensor(4), 0), k);
    v = appended(heads_of(tensor(5), 0), v);
  }
  const AttentionBias bias(example, node, past);
  const double scale =
      node.number("scale", static_cast<float>(1 / std::sqrt(static_cast<double>(q.size))));
  Heads y{q.batch, q.heads, q.length, v.size};
  Heads scores{q.batch, q.heads, q.length, k.length};
  const int64_t group = q.heads / k.heads;
  for (int64_t b = 0; b < q.batch; ++b)
    for (int64_t h = 0; h < q.heads; ++h)
      for (int64_t i = 0; i < q.length; ++i) {
        std::vector<double> raw;
        std::vector<double> added;
        for (int64_t j = 0; j < k.length; ++j) {
          double dot = 0;
          for (int64_t d = 0; d < q.size; ++d) dot += q.at(b, h, i, d) * k.at(b, h / group, j, d);
          raw.push_back(dot * scale);
          added.push_back(bias(b, h, i, j));
        }
        const Stages stages = stages_of(raw, added, node.number("softcap", 0));
        const auto mode = static_cast<size_t>(node.integer("qk_matmul_output_mode", 0));
        for (int64_t j = 0; j < k.length; ++j) {
          scores.at(b, h, i, j) = stages[mode][static_cast<size_t>(j)];
          for (int64_t d = 0; d < v.size; ++d) {
            y.at(b, h, i, d) += stages[3][static_cast<size_t>(j)] * v.at(b, h / group, j, d);
          }
        }
      }
  std::vector<Tensor> outputs{tensor(0).shape.size() == 3 ? y.joined() : y.tensor(), k.tensor(),
                              v.tensor(), scores.tensor()};
  outputs.resize(static_cast<size_t>(example.outputs));
  return outputs;
}

/// RotaryEmbedding of opset 23, number by number.
inline std::vector<Tensor> rotary_twin(const OpExample& example) {
  const Node node{.name = "", .op = "", .attributes = example.attributes};
  Heads x = heads_of(example.inputs[0].tensor, node.integer("num_heads", 0));
  const std::vector<double> cosine = numbers_of(example.inputs[1].tensor);
  const std::vector<double> sine = numbers_of(example.inputs[2].tensor);
  const bool placed = example.inputs.size() > 3;
  const std::vector<double> positions =
      placed ? numbers_of(example.inputs[3].tensor) : std::vector<double>{};
  const int64_t stated = node.integer("rotary_embedding_dim", 0);
  const int64_t half = (stated > 0 ? stated : x.size) / 2;
  Heads y = x;
  for (int64_t b = 0; b < x.batch; ++b)
    for (int64_t h = 0; h < x.heads; ++h)
      for (int64_t s = 0; s < x.length; ++s)
        for (int64_t d = 0; d < half; ++d) {
          const auto token = static_cast<size_t>(b * x.length + s);
          const auto row = placed ? static_cast<size_t>(positions[token]) : token;
          const size_t angle = row * static_cast<size_t>(half) + static_cast<size_t>(d);
          const bool interleaved = node.integer("interleaved", 0) != 0;
          const int64_t one = interleaved ? 2 * d : d;
          const int64_t two = interleaved ? 2 * d + 1 : d + half;
          y.at(b, h, s, one) =
              cosine[angle] * x.at(b, h, s, one) - sine[angle] * x.at(b, h, s, two);
          y.at(b, h, s, two) =
              sine[angle] * x.at(b, h, s, one) + cosine[angle] * x.at(b, h, s, two);
        }
  return {example.inputs[0].tensor.shape.size() == 3 ? y.joined() : y.tensor()};
}

}  // namespace octet::test
