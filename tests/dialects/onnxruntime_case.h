#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "dialects/dialect.h"
#include "dialects/onnxruntime_run.h"
#include "engine/executor.h"
#include "formats/onnx/onnx_file.h"
#include "graph/quantize_tensor.h"

namespace octet::test {

/// One operator as our ONNX file holds it, in ONNX Runtime and in its dialect: `expect_same`
/// demands the same integers of both, and that the runtime computed them with the kernel that is
/// meant.
class OrtCase {
 public:
  using Attributes = std::map<std::string, Attribute>;

  explicit OrtCase(unsigned seed) : random(seed) {}

  std::mt19937 random;
  Graph graph;
  QuantTable table;

  int32_t draw(int32_t low, int32_t high) {
    return low + static_cast<int32_t>(random() % static_cast<uint32_t>(high - low + 1));
  }
  /// 2^x, x evenly from [low, high].
  float power_of_two(float low, float high) {
    const float share = static_cast<float>(random() >> 8) / static_cast<float>(1U << 24);
    return std::exp2(low + (high - low) * share);
  }
  /// A grid with its zero point anywhere, one time in four at an end.
  QuantParams grid(float scale) {
    const int32_t kind = draw(0, 7);
    const int32_t zero = kind == 0 ? -128 : kind == 1 ? 127 : draw(-128, 127);
    return {.scale = {scale}, .zero_point = {zero}};
  }
  /// Integers over the whole grid, or (one time in four) its ends only.
  Tensor integers(Shape shape, const QuantParams& params) {
    Tensor tensor(params.type, std::move(shape));
    const bool ends = draw(0, 3) == 0;
    for (int8_t& q : tensor.as<int8_t>()) {
      q = static_cast<int8_t>(ends ? (draw(0, 1) ? params.low : params.high)
                                   : draw(params.low, params.high));
    }
    return tensor;
  }

  ValueId input(const Tensor& quantized, const QuantParams& params) {
    return real_input(dequantize(quantized, params), params);
  }
  /// An input of real numbers; its integers are those of the dialect's QuantizeLinear.
  ValueId real_input(const Tensor& real, const QuantParams& params) {
    const ValueId id = graph.add_input("x", DType::Float32, real.shape);
    table.set(id, params);
    fed_.push_back({id, real});
    held_[id] = onnxruntime_dialect().quantize(to_torch(real), params);
    return id;
  }
  ValueId input(Shape shape, const QuantParams& params) {
    return input(integers(std::move(shape), params), params);
  }
  /// A constant on a grid; its integers are those that the writer makes.
  ValueId constant(const Tensor& real, const QuantParams& params) {
    const ValueId id = graph.add_constant("constant", real);
    table.set(id, params);
    held_[id] = to_torch(quantize(real, params)).to(at::kInt);
    return id;
  }
  ValueId constant(Shape shape, const QuantParams& params) {
    return constant(dequantize(integers(std::move(shape), params), params), params);
  }
  /// A constant that is no number of a grid.
  ValueId parameter(Tensor tensor) {
    const ValueId id = graph.add_constant("parameter", std::move(tensor));
    held_[id] = to_torch(*graph.value(id).constant);
    return id;
  }
  /// Symmetric weights with a scale per channel.
  ValueId weight(Shape shape, int axis, float scale) {
    QuantParams params{.axis = axis, .low = -127, .high = 127, .scale = {}, .zero_point = {}};
    for (int64_t c = 0; c < shape[static_cast<size_t>(axis)]; ++c) {
      params.scale.push_back(scale * power_of_two(-2, 0));
      params.zero_point.push_back(0);
    }
    return constant(std::move(shape), params);
  }
  /// 32-bit numbers up to `largest`, on the grid that the inputs give.
  ValueId bias(ValueId x, ValueId w, int64_t count, float largest) {
    QuantParams params{.type = DType::Int32,
                       .axis = 0,
                       .low = std::numeric_limits<int32_t>::min(),
                       .high = std::numeric_limits<int32_t>::max(),
                       .scale = {},
                       .zero_point = {},
                       .origin = Origin::Derived};
    Tensor real(DType::Float32, {count});
    const QuantParams& weights = *table.find(w);
    for (int64_t c = 0; c < count; ++c) {
      const float scale = table.find(x)->scale[0] *
                          weights.scale[weights.per_tensor() ? 0 : static_cast<size_t>(c)];
      params.scale.push_back(scale);
      params.zero_point.push_back(0);
      real.as<float>()[static_cast<size_t>(c)] =
          scale * largest * static_cast<float>(draw(-100, 100)) / 100;
    }
    return constant(real, params);
  }

  /// Somebody else reads the value too: ONNX Runtime makes one grid of two that follow each other
  /// where nobody looks at the first.
  void read_elsewhere(ValueId id) { other_ = graph.add_op("Flatten", "other", {id}); }

  /// Runs both. `kernel`: the operator that ONNX Runtime must have put in its place; empty: it may
  /// stay between DequantizeLinear and QuantizeLinear.
  void expect_same(std::string op, std::vector<ValueId> inputs, const QuantParams& out,
                   std::string_view kernel, Attributes attributes = {}) {
    const std::vector<int32_t> computed = dialect_run(op, inputs, out, attributes);
    const std::vector<int32_t> wanted = runtime_run(op, inputs, out, kernel, attributes);
    ASSERT_EQ(computed.size(), wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i) {
      const int32_t steps = std::abs(computed[i] - wanted[i]);
      different += steps != 0;
      worst = std::max(worst, steps);
    }
    compared += wanted.size();
  }

  const Dialect* dialect = &onnxruntime_dialect();
  /// Of a Clip behind the operator, which it takes in.
  std::pair<float, float> bounds{-kAny, kAny};
  int32_t worst = 0;
  size_t different = 0;
  size_t compared = 0;

 private:
  static constexpr float kAny = std::numeric_limits<float>::infinity();

  std::vector<int32_t> dialect_run(const std::string& op, const std::vector<ValueId>& inputs,
                                   const QuantParams& out, const Attributes& attributes) {
    Node node{.name = op, .op = op, .inputs = inputs, .outputs = {}, .attributes = attributes};
    std::vector<at::Tensor> tensors;
    std::vector<const QuantParams*> grids;
    for (const ValueId id : inputs) {
      tensors.push_back(id == kAbsent ? at::Tensor() : held_.at(id));
      grids.push_back(id == kAbsent ? nullptr : table.find(id));
    }
    const IntegerFn compute = dialect->find(op);
    const at::Tensor result = compute({graph, node, tensors, grids, out, bounds}).contiguous();
    return {result.const_data_ptr<int32_t>(), result.const_data_ptr<int32_t>() + result.numel()};
  }

  std::vector<int32_t> runtime_run(const std::string& op, const std::vector<ValueId>& inputs,
                                   const QuantParams& out, std::string_view kernel,
                                   const Attributes& attributes) {
    ValueId result = graph.add_op(op, "node", inputs, attributes);
    if (bounds.first > -kAny) {
      const ValueId low = graph.add_constant("low", Tensor::scalar(bounds.first));
      const ValueId high = graph.add_constant("high", Tensor::scalar(bounds.second));
      result = graph.add_op("Clip", "clip", {result, low, high});
    }
    table.set(result, out);
    graph.add_output(result);
    if (other_ != kAbsent) graph.add_output(other_);
    OrtRun run(write_onnx(graph, table));
    EXPECT_TRUE(kernel.empty() ||
                (run.has(kernel) && !run.has("Clip") && (op == kernel || !run.has(op))))
        << ::testing::PrintToString(run.ops);
    std::vector<std::pair<std::string, Tensor>> inputs_by_name;
    for (const auto& [id, real] : fed_) inputs_by_name.push_back({graph.value(id).name, real});
    return integers_of(run(inputs_by_name, graph.value(graph.outputs()[0]).name), out);
  }

  ValueId other_ = kAbsent;
  std::vector<std::pair<ValueId, Tensor>> fed_;
  std::map<ValueId, at::Tensor> held_;
};

/// Runs `test(case, i)` for i in [0, count), each on a case of its own, and demands no difference.
template <class Test>
void for_cases(int count, Test test) {
  for_each_case<OrtCase>(count, test);
}

}  // namespace octet::test
