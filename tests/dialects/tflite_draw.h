#pragma once

#include <ATen/ops/empty.h>

#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"
#include "graph/quant_table.h"

namespace octet::test {

/// Draws numbers and grids; the same for the same seed.
class Draw {
 public:
  explicit Draw(unsigned seed) : random_(seed) {}

  int draw(int low, int high) {
    return low + static_cast<int>(random_() % static_cast<unsigned>(high - low + 1));
  }
  /// A number from [low, high].
  double real(double low, double high) {
    return low + (high - low) * (static_cast<double>(random_()) / 4294967296.0);
  }
  /// 2^x for x from [low, high].
  float power(double low, double high) { return static_cast<float>(std::exp2(real(low, high))); }

  /// An int8 grid; every third zero point is at an end of the range.
  QuantParams grid(float scale) {
    const int which = draw(0, 5);
    const int zero = which == 0 ? -128 : which == 1 ? 127 : draw(-128, 127);
    return {.scale = {scale}, .zero_point = {zero}};
  }
  /// An int16 grid, around 0.
  static QuantParams wide_grid(float scale) {
    return {
        .type = DType::Int16, .low = -32768, .high = 32767, .scale = {scale}, .zero_point = {0}};
  }

 private:
  std::mt19937 random_;
};

/// One node with its inputs, on random integers.
class DrawnNode : public Draw {
 public:
  using Draw::Draw;

  Graph graph;
  QuantTable table;

  ValueId input(Shape shape, QuantParams params) {
    at::Tensor integers = at::empty(shape, at::kInt);
    for (int64_t i = 0; i < integers.numel(); ++i) {
      integers.mutable_data_ptr<int32_t>()[i] = draw(params.low, params.high);
    }
    return input_of(std::move(integers), std::move(params));
  }
  ValueId input_of(at::Tensor integers, QuantParams params) {
    const ValueId id = graph.add_input("x", DType::Float32, integers.sizes().vec());
    table.set(id, std::move(params));
    given_.push_back(std::move(integers));
    return id;
  }
  ValueId constant(Tensor values, QuantParams params) {
    const ValueId id = graph.add_constant("constant", std::move(values));
    table.set(id, std::move(params));
    return id;
  }
  ValueId parameter(Tensor values) { return graph.add_constant("parameter", std::move(values)); }

  /// A narrow weight with a scale per index of `axis`, spread over two octaves around `scale`.
  ValueId weight(Shape shape, int axis, float scale) {
    QuantParams params{.axis = axis, .low = -127, .high = 127, .scale = {}, .zero_point = {}};
    for (int64_t c = 0; c < shape[static_cast<size_t>(axis)]; ++c) {
      params.scale.push_back(scale * power(-1, 1));
      params.zero_point.push_back(0);
    }
    Tensor values(DType::Float32, shape);
    size_t inner = 1;
    for (size_t d = static_cast<size_t>(axis) + 1; d < shape.size(); ++d) {
      inner *= static_cast<size_t>(shape[d]);
    }
    for (size_t i = 0; i < values.as<float>().size(); ++i) {
      const float one = params.scale[i / inner % params.scale.size()];
      values.as<float>()[i] = one * static_cast<float>(draw(-127, 127));
    }
    return constant(std::move(values), std::move(params));
  }
  /// A bias of integers in [-largest, largest].
  ValueId bias(ValueId x, ValueId w, double largest) {
    const QuantParams& weight = *table.find(w);
    QuantParams params{.type = DType::Int32,
                       .axis = 0,
                       .low = std::numeric_limits<int32_t>::min(),
                       .high = std::numeric_limits<int32_t>::max(),
                       .scale = {},
                       .zero_point = {},
                       .origin = Origin::Derived};
    Tensor values(DType::Float32, {static_cast<int64_t>(weight.scale.size())});
    for (size_t c = 0; c < weight.scale.size(); ++c) {
      params.scale.push_back(table.find(x)->scale[0] * weight.scale[c]);
      params.zero_point.push_back(0);
      values.as<float>()[c] = static_cast<float>(std::floor(real(-largest, largest)) *
                                                 static_cast<double>(params.scale.back()));
    }
    return constant(std::move(values), std::move(params));
  }

  ValueId node(std::string op, std::vector<ValueId> inputs,
               std::map<std::string, Attribute> attributes = {}) {
    const ValueId id =
        graph.add_op(std::move(op), "node", std::move(inputs), std::move(attributes));
    node_ = graph.producer(id);
    result_ = id;
    return id;
  }
  /// A Relu or Clip that the node takes in.
  void activation(float low, float high) {
    bounds_ = {low, high};
    if (high == std::numeric_limits<float>::infinity()) {
      result_ = graph.add_op("Relu", "relu", {result_});
    } else {
      result_ =
          graph.add_op("Clip", "clip",
                       {result_, parameter(Tensor::scalar(low)), parameter(Tensor::scalar(high))});
    }
  }

  /// None, Relu or a clip at 6, which TFLite refuses where that is more than 2^31 steps away.
  void draw_activation(const QuantParams& out) {
    const int which = draw(0, 3);
    if (which == 0) activation(0, std::numeric_limits<float>::infinity());
    if (which == 1 && out.scale[0] > 1e-8F) activation(0, 6);
  }

 protected:
  std::vector<at::Tensor> given_;
  std::optional<NodeId> node_;
  ValueId result_ = kAbsent;
  std::pair<float, float> bounds_{-std::numeric_limits<float>::infinity(),
                                  std::numeric_limits<float>::infinity()};
};

}  // namespace octet::test
