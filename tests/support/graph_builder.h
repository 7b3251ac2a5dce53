#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/executor.h"
#include "graph/graph.h"
#include "graph/quant_table.h"
#include "graph/quantize_tensor.h"

namespace octet::test {

/// Numbers drawn evenly from [low, high]; the same for the same seed.
inline Tensor random_tensor(Shape shape, unsigned seed, float low = -1, float high = 1) {
  std::mt19937 generator(seed);
  Tensor tensor(DType::Float32, std::move(shape));
  for (float& number : tensor.as<float>()) {
    const auto share = static_cast<float>(generator() >> 8) / static_cast<float>(1U << 24);
    number = low + (high - low) * share;
  }
  return tensor;
}

inline Tensor numbers(std::vector<int64_t> values) { return Tensor::vector(values); }

/// int8 parameters of a value in [low, high], which are widened to hold 0.
inline QuantParams activation_grid(float low, float high) {
  low = std::min(low, 0.0F);
  high = std::max(high, 0.0F);
  const float scale = std::max((high - low) / 255.0F, 1e-9F);
  const auto zero = static_cast<int32_t>(std::nearbyint(-128.0F - low / scale));
  return {.scale = {scale}, .zero_point = {std::clamp(zero, -128, 127)}};
}

/// Symmetric narrow int8 parameters of a weight, per channel along `axis`.
inline QuantParams weight_grid(const Tensor& weight, int axis) {
  const auto at = static_cast<size_t>(axis);
  const auto channels = static_cast<size_t>(weight.shape[at]);
  const auto inner =
      static_cast<size_t>(element_count(std::span<const int64_t>(weight.shape).subspan(at + 1)));
  std::vector<float> largest(channels, 1e-6F);
  const auto values = weight.as<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    float& slot = largest[i / inner % channels];
    slot = std::max(slot, std::abs(values[i]));
  }
  QuantParams params{.axis = axis, .low = -127, .high = 127, .scale = {}, .zero_point = {}};
  for (const float bound : largest) {
    params.scale.push_back(bound / 127.0F);
    params.zero_point.push_back(0);
  }
  return params;
}

/// int32 parameters of a bias: the product of both scales.
inline QuantParams bias_grid(const QuantParams& input, const QuantParams& weight) {
  QuantParams params{.type = DType::Int32,
                     .axis = 0,
                     .low = std::numeric_limits<int32_t>::min(),
                     .high = std::numeric_limits<int32_t>::max(),
                     .scale = {},
                     .zero_point = {},
                     .origin = Origin::Derived};
  for (const float scale : weight.scale) {
    params.scale.push_back(input.scale[0] * scale);
    params.zero_point.push_back(0);
  }
  return params;
}

/// Builds a network and its table side by side. `finish` fills in shapes, and the parameters of
/// values that were given none, from the range that one input produces.
class NetworkBuilder {
 public:
  Graph graph;
  QuantTable table;

  using Attributes = std::map<std::string, Attribute>;

  ValueId input(Shape shape, QuantParams params = activation_grid(-1, 1)) {
    const ValueId id = graph.add_input("x", DType::Float32, std::move(shape));
    table.set(id, std::move(params));
    return id;
  }
  /// A constant that is a parameter (shape, axes, bounds, a factor).
  ValueId parameter(Tensor tensor) { return graph.add_constant("parameter", std::move(tensor)); }
  /// A constant that is quantized as activations are.
  ValueId data(Tensor tensor) {
    const auto [low, high] = std::ranges::minmax(tensor.as<float>());
    const ValueId id = graph.add_constant("data", std::move(tensor));
    table.set(id, activation_grid(low, high));
    return id;
  }
  /// An operator on a grid of its own, which `finish` chooses.
  ValueId op(std::string name, std::vector<ValueId> inputs, Attributes attributes = {}) {
    const std::string node = name + std::to_string(graph.order().size());
    const ValueId id =
        graph.add_op(std::move(name), node, std::move(inputs), std::move(attributes));
    pending_.push_back(id);
    return id;
  }
  ValueId op_on(QuantParams params, std::string name, std::vector<ValueId> inputs,
                Attributes attributes = {}) {
    const ValueId id = op(std::move(name), std::move(inputs), std::move(attributes));
    pending_.pop_back();
    table.set(id, std::move(params));
    return id;
  }
  /// An operator whose output has the parameters of its first input.
  ValueId move(std::string name, std::vector<ValueId> inputs, Attributes attributes = {}) {
    moving_.push_back({inputs[0], op(std::move(name), std::move(inputs), std::move(attributes))});
    return moving_.back().second;
  }
  /// Conv, Gemm or MatMul with weights, and biases of `biases` numbers (0: none).
  ValueId weighted(std::string name, ValueId x, Shape weight, int axis, int64_t biases,
                   Attributes attributes = {}) {
    const ValueId w = graph.add_constant("weight", random_tensor(std::move(weight), ++seed_));
    std::vector<ValueId> inputs{x, w};
    if (biases > 0) inputs.push_back(graph.add_constant("bias", random_tensor({biases}, ++seed_)));
    weighted_.push_back(inputs);
    table.set(w, weight_grid(*graph.value(w).constant, axis));
    return op(std::move(name), std::move(inputs), std::move(attributes));
  }
  /// The value is never stored: an activation follows.
  ValueId inside(ValueId id) {
    std::erase(pending_, id);
    return id;
  }
  /// Gives up the parameters that a value would get; `params` are used.
  ValueId on(ValueId id, QuantParams params) {
    std::erase(pending_, id);
    table.set(id, std::move(params));
    return id;
  }

  void finish(ValueId output, const Tensor& input) {
    graph.add_output(output);
    infer_shapes(graph);
    Ranges ranges;
    const std::vector<at::Tensor> inputs{to_torch(input)};
    Executor(graph).run(inputs, ranges);
    for (const ValueId id : pending_) {
      const auto moved = std::ranges::find(moving_, id, &std::pair<ValueId, ValueId>::second);
      if (moved != moving_.end()) {
        table.set(id, *table.find(moved->first));
      } else {
        table.set(id, activation_grid(ranges.low[id], ranges.high[id]));
      }
    }
    for (const auto& inputs_of : weighted_) {
      if (inputs_of.size() < 3) continue;
      table.set(inputs_of[2], bias_grid(*table.find(inputs_of[0]), *table.find(inputs_of[1])));
    }
  }

 private:
  class Ranges final : public Interpretation {
   public:
    at::Tensor activation(ValueId id, const at::Tensor& tensor) override {
      const Tensor copy = from_torch(tensor);
      if (copy.dtype == DType::Float32) {
        const auto [least, most] = std::ranges::minmax(copy.as<float>());
        low[id] = least;
        high[id] = most;
      }
      return tensor;
    }
    std::map<ValueId, float> low;
    std::map<ValueId, float> high;
  };

  unsigned seed_ = 100;
  std::vector<ValueId> pending_;
  std::vector<std::pair<ValueId, ValueId>> moving_;
  std::vector<std::vector<ValueId>> weighted_;
};

/// Every value that the table knows is rounded to its grid, by the scalar code of
/// graph/quantize_tensor.h; what flows between is float.
class RoundedRun final : public Interpretation {
 public:
  explicit RoundedRun(const QuantTable& table) : table_(table) {}
  at::Tensor constant(ValueId id, const at::Tensor& tensor) override { return round(id, tensor); }
  at::Tensor activation(ValueId id, const at::Tensor& tensor) override { return round(id, tensor); }

 private:
  at::Tensor round(ValueId id, const at::Tensor& tensor) const {
    const QuantParams* params = table_.find(id);
    if (!params) return tensor;
    return to_torch(dequantize(quantize(from_torch(tensor), *params), *params));
  }
  const QuantTable& table_;
};

/// The network's output on its grids, for one input.
inline Tensor rounded_output(const Graph& graph, const QuantTable& table, const Tensor& input) {
  RoundedRun run(table);
  const std::vector<at::Tensor> inputs{to_torch(input)};
  return from_torch(Executor(graph).run(inputs, run).at(0));
}

}  // namespace octet::test
