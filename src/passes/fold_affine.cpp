#include <algorithm>
#include <array>
#include <cmath>

#include "base/fail.h"
#include "ops/op_def.h"
#include "passes/affine.h"
#include "passes/passes.h"

namespace octet {

std::optional<NodeId> foldable_producer(const Graph& graph, const Node& node, size_t data) {
  const ValueId in = node.input(data);
  if (in == kAbsent || graph.is_output(in)) return std::nullopt;
  const auto producer = graph.producer(in);
  if (!producer || graph.users(in).size() != 1) return std::nullopt;
  const Node& candidate = graph.node(*producer);
  const auto* rule = std::get_if<Weighted>(&op_of(candidate).quant.value);
  // MatMul has no bias input to take the shift.
  if (!rule || candidate.op == "MatMul" || !graph.constant_input(candidate, rule->weight)) {
    return std::nullopt;
  }
  if (candidate.input(rule->bias) != kAbsent) {
    // One number, or a row of one per channel; Gemm's may also vary over the rows.
    const Tensor* bias = graph.constant_input(candidate, rule->bias);
    if (!bias || (bias->size() != 1 && bias->shape.back() != bias->size())) return std::nullopt;
  }
  if (candidate.number("alpha", 1) != 1 || candidate.number("beta", 1) != 1) return std::nullopt;
  return producer;
}

namespace {

/// Which output channel each element of a weight belongs to.
class ChannelMap {
 public:
  ChannelMap(const Graph& graph, const Node& node) {
    const auto& rule = std::get<Weighted>(op_of(node).quant.value);
    const Shape& shape = graph.constant_input(node, rule.weight)->shape;
    // Without an axis: a transposed convolution in groups, whose weight is [in, out / group, ...].
    const int axis = rule.axis(node, shape.size());
    const size_t at = axis < 0 ? 1 : static_cast<size_t>(axis);
    const int64_t groups = axis < 0 ? node.integer("group", 1) : 1;
    per_group_ = static_cast<size_t>(shape.at(at));
    channels_ = per_group_ * static_cast<size_t>(groups);
    inner_ = static_cast<size_t>(element_count(std::span(shape).subspan(at + 1)));
    group_ = static_cast<size_t>(element_count(shape) / groups);
  }
  size_t channels() const { return channels_; }
  size_t operator()(size_t element) const {
    if (channels_ == per_group_) return element / inner_ % channels_;
    return element / group_ * per_group_ + element / inner_ % per_group_;
  }

 private:
  size_t per_group_ = 0;
  size_t channels_ = 0;
  size_t inner_ = 0;  ///< elements after the channel's dimension
  size_t group_ = 0;  ///< elements of one group
};

/// The bias as one number per channel.
std::vector<float> bias_of(const Graph& graph, const Node& node, size_t index, size_t channels) {
  const Tensor* bias = graph.constant_input(node, index);
  if (!bias) return std::vector<float>(channels, 0.0F);
  const auto given = bias->as<float>();
  if (given.size() == 1) return std::vector<float>(channels, given[0]);
  return {given.begin(), given.end()};
}

}  // namespace

size_t channels_of(const Graph& graph, const Node& node) {
  return ChannelMap(graph, node).channels();
}

void fold_into(Graph& graph, NodeId id, const Affine& affine) {
  const auto& rule = std::get<Weighted>(op_of(graph.node(id)).quant.value);
  const ChannelMap channel_of(graph, graph.node(id));
  const size_t channels = channel_of.channels();
  std::vector<float> bias = bias_of(graph, graph.node(id), rule.bias, channels);
  for (size_t c = 0; c < channels; ++c) bias[c] = bias[c] * affine.scale[c] + affine.shift[c];

  const ValueId weight_id = graph.node(id).inputs[rule.weight];
  Tensor weight = *graph.value(weight_id).constant;
  const auto values = weight.as<float>();
  for (size_t i = 0; i < values.size(); ++i) values[i] *= affine.scale[channel_of(i)];

  const ValueId old_bias = graph.node(id).input(rule.bias);
  const std::string bias_name =
      old_bias == kAbsent ? graph.node(id).name + ".bias" : graph.value(old_bias).name;
  const ValueId new_weight = graph.add_constant(graph.value(weight_id).name, std::move(weight));
  const ValueId new_bias =
      graph.add_constant(bias_name, Tensor::of<float>({static_cast<int64_t>(channels)}, bias));
  graph.value(new_bias).normalizes = old_bias != kAbsent && graph.value(old_bias).normalizes;
  auto& inputs = graph.node(id).inputs;
  inputs.resize(std::max(inputs.size(), rule.bias + 1), kAbsent);
  inputs[rule.weight] = new_weight;
  inputs[rule.bias] = new_bias;
}

namespace {

/// The producer makes the value that `node` made, and `node` leaves.
void absorb(Graph& graph, NodeId producer, NodeId node) {
  graph.node(producer).outputs[0] = graph.node(node).outputs[0];
  graph.remove(node);
}

/// The constant operand as one number per channel of an output of `rank` dimensions (channels are
/// dimension 1); empty when it varies along another dimension.
std::vector<float> per_channel(const Tensor& constant, size_t channels, size_t rank) {
  const auto values = constant.as<float>();
  if (values.size() == 1 && constant.shape.size() <= rank) {
    return std::vector<float>(channels, values[0]);
  }
  if (values.size() != channels || constant.shape.size() > rank) return {};
  // Aligned from the right: the channel dimension has rank - 2 dimensions after it.
  const size_t after = rank - 2;
  if (constant.shape.size() <= after) return {};
  const size_t at = constant.shape.size() - 1 - after;
  return constant.shape[at] == static_cast<int64_t>(channels)
             ? std::vector<float>(values.begin(), values.end())
             : std::vector<float>{};
}

bool fold_constant_operand(Graph& graph, NodeId id, size_t data) {
  const Node& node = graph.node(id);
  const Tensor* constant = graph.constant_input(node, 1 - data);
  const auto producer = foldable_producer(graph, node, data);
  if (!constant || constant->dtype != DType::Float32 || !producer) return false;
  const size_t channels = channels_of(graph, graph.node(*producer));
  // Gemm's output is a matrix, that of a convolution has as many dimensions as its weight.
  const auto& rule = std::get<Weighted>(op_of(graph.node(*producer)).quant.value);
  const size_t rank = graph.constant_input(graph.node(*producer), rule.weight)->shape.size();
  const std::vector<float> numbers = per_channel(*constant, channels, rank);
  if (numbers.empty()) return false;
  Affine affine{std::vector<float>(channels, 1.0F), std::vector<float>(channels, 0.0F)};
  (node.op == "Mul" ? affine.scale : affine.shift) = numbers;
  fold_into(graph, *producer, affine);
  absorb(graph, *producer, id);
  return true;
}

}  // namespace

size_t fold_affine(Graph& graph) {
  size_t folded = 0;
  for (const NodeId id : std::vector(graph.order())) {
    const std::string& op = graph.node(id).op;
    if (op != "Mul" && op != "Add") continue;
    if (fold_constant_operand(graph, id, 0) || fold_constant_operand(graph, id, 1)) ++folded;
  }
  return folded;
}

size_t fold_batch_normalization(Graph& graph) {
  size_t folded = 0;
  for (const NodeId id : std::vector(graph.order())) {
    const Node& node = graph.node(id);
    if (node.op != "BatchNormalization" || node.integer("training_mode", 0) != 0) continue;
    const auto producer = foldable_producer(graph, node);
    if (!producer) continue;
    std::array<std::span<const float>, 4> statistics;  // gamma, beta, mean, variance
    bool constant = true;
    for (size_t i = 0; i < 4; ++i) {
      const Tensor* tensor = graph.constant_input(node, i + 1);
      constant = constant && tensor;
      if (tensor) statistics[i] = tensor->as<float>();
    }
    if (!constant) continue;
    const double epsilon = node.number("epsilon", 1e-5F);
    Affine affine;
    for (size_t c = 0; c < channels_of(graph, graph.node(*producer)); ++c) {
      const double scale = statistics[0][c] / std::sqrt(statistics[3][c] + epsilon);
      affine.scale.push_back(static_cast<float>(scale));
      affine.shift.push_back(static_cast<float>(statistics[1][c] - statistics[2][c] * scale));
    }
    fold_into(graph, *producer, affine);
    const auto& rule = std::get<Weighted>(op_of(graph.node(*producer)).quant.value);
    graph.value(graph.node(*producer).inputs[rule.bias]).normalizes = true;
    absorb(graph, *producer, id);
    ++folded;
  }
  return folded;
}

size_t fuse_matmul_bias(Graph& graph) {
  size_t fused = 0;
  for (const NodeId id : std::vector(graph.order())) {
    const Node& add = graph.node(id);
    if (add.op != "Add") continue;
    for (const size_t data : {size_t{0}, size_t{1}}) {
      const auto producer = graph.producer(add.inputs[data]);
      const Tensor* bias = graph.constant_input(add, 1 - data);
      if (!producer || !bias || graph.node(*producer).op != "MatMul") continue;
      const ValueId product = add.inputs[data];
      const Node& matmul = graph.node(*producer);
      const Tensor* weight = graph.constant_input(matmul, 1);
      const bool plain = weight && weight->shape.size() == 2 && bias->shape.size() == 1 &&
                         bias->shape[0] == weight->shape[1] &&
                         graph.value(matmul.inputs[0]).shape.size() == 2;
      if (!plain || graph.users(product).size() != 1 || graph.is_output(product)) continue;
      const ValueId bias_id = add.inputs[1 - data];
      Node& gemm = graph.node(*producer);
      gemm.op = "Gemm";
      gemm.inputs.push_back(bias_id);
      absorb(graph, *producer, id);
      ++fused;
      break;
    }
  }
  return fused;
}

}  // namespace octet
