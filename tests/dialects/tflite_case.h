#pragma once

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

#include "dialects/dialect.h"
#include "dialects/tflite_draw.h"
#include "dialects/tflite_file.h"
#include "engine/executor.h"
#include "formats/tflite/writer.h"
#include "graph/quantize_tensor.h"

namespace octet::test {

/// A drawn node, in TFLite and by the dialects.
class TfliteCase : public DrawnNode {
 public:
  using DrawnNode::DrawnNode;

  /// Writes the file with `write_tflite`; the result is on `out`.
  void write(const QuantParams& out) {
    table.set(result_, out);
    graph.add_output(result_);
    infer_shapes(graph);
    file_ = std::make_unique<LiteFile>(LiteFile::of(write_tflite(graph, table)));
  }

  /// Writes the file as one operator: what octet has no lowering for. Its inputs are `operands`:
  /// activations, constants (laid out by `permutation`) and numbers; without any, the activations.
  /// `shape` is the result's, as in the graph.
  struct Operand {
    ValueId value = kAbsent;
    std::vector<int64_t> permutation = {};
    std::vector<int32_t> numbers = {};
  };
  template <class Options>
  void write_as(tflite::BuiltinOperator code, int version, Options options, const QuantParams& out,
                const Shape& shape, std::vector<Operand> operands = {}) {
    table.set(result_, out);
    graph.value(result_).shape = shape;
    graph.value(result_).shape_known = true;
    if (operands.empty()) {
      for (const ValueId id : graph.inputs()) operands.push_back({.value = id});
    }
    LiteOperator lite;
    for (const Operand& operand : operands) add_operand(lite, operand);
    file_ = std::make_unique<LiteFile>(
        lite.finish(code, version, std::move(options), shape_in_file(shape), out));
  }

  const std::string& operators() const { return file_->operators(); }

  /// The dialect's result against the runtime's.
  Steps steps(bool reference) {
    if (table.find(result_)->type == DType::Int16) {
      return steps_of<int16_t>(tflite_dialect(), reference);
    }
    return steps_of<int8_t>(reference ? tflite_reference_dialect() : tflite_dialect(), reference);
  }
  /// The dialects compute what the runtime does; true: by its reference kernels.
  void expect_equal(std::vector<bool> resolvers = {false, true}) {
    for (const bool reference : resolvers) {
      const Steps found = steps(reference);
      EXPECT_EQ(found.worst, 0) << operators() << (reference ? " (reference)" : " (default)")
                                << ": " << found.different << " of " << found.all << " differ";
    }
  }

 private:
  template <class T>
  Steps steps_of(const Dialect& dialect, bool reference) {
    std::vector<std::vector<T>> inputs;
    for (const at::Tensor& integers : given_) inputs.push_back(in_file<T>(integers));
    const std::vector<T> wanted = file_->run(inputs, reference);
    const std::vector<T> got = in_file<T>(computed(dialect));
    EXPECT_EQ(got.size(), wanted.size());
    Steps steps{.all = wanted.size()};
    for (size_t i = 0; i < std::min(got.size(), wanted.size()); ++i) {
      const int distance = std::abs(got[i] - wanted[i]);
      steps.worst = std::max(steps.worst, distance);
      steps.different += distance > 0 ? 1 : 0;
    }
    return steps;
  }

  static Shape shape_in_file(const Shape& shape) {
    return shape.size() == 4 ? Shape{shape[0], shape[2], shape[3], shape[1]} : shape;
  }

  void add_operand(LiteOperator& lite, const Operand& operand) const {
    if (operand.value == kAbsent) {
      return lite.add_constant({static_cast<int64_t>(operand.numbers.size())}, nullptr,
                               tflite::TensorType_INT32, std::as_bytes(std::span(operand.numbers)));
    }
    const Value& value = graph.value(operand.value);
    const QuantParams& params = *table.find(operand.value);
    if (!value.constant) return lite.add_input(shape_in_file(value.shape), params);
    at::Tensor integers = to_torch(quantize(*value.constant, params));
    if (!operand.permutation.empty()) integers = integers.permute(operand.permutation);
    integers = integers.contiguous();
    const std::span bytes(static_cast<const std::byte*>(integers.const_data_ptr()),
                          integers.nbytes());
    lite.add_constant(
        integers.sizes().vec(), &params,
        params.type == DType::Int8 ? tflite::TensorType_INT8 : tflite::TensorType_INT32, bytes);
  }

  at::Tensor computed(const Dialect& dialect) {
    const Node& node = graph.node(*node_);
    std::vector<at::Tensor> inputs;
    std::vector<const QuantParams*> grids;
    for (const ValueId id : node.inputs) {
      grids.push_back(id == kAbsent ? nullptr : table.find(id));
      if (id == kAbsent) {
        inputs.emplace_back();
      } else if (graph.is_constant(id)) {
        const Tensor& real = *graph.value(id).constant;
        inputs.push_back(to_torch(grids.back() ? quantize(real, *grids.back()) : real));
        if (grids.back()) inputs.back() = inputs.back().to(at::kInt);
      } else {
        const auto at = std::ranges::find(graph.inputs(), id) - graph.inputs().begin();
        inputs.push_back(given_[static_cast<size_t>(at)]);
        if (inputs.back().dim() == 4) {
          inputs.back() = inputs.back().contiguous(at::MemoryFormat::ChannelsLast);
        }
      }
    }
    const IntegerFn compute = dialect.find(node.op, table.find(result_)->type);
    if (!compute) {
      ADD_FAILURE() << "no row for " << node.op;
      return at::empty({0}, at::kInt);
    }
    return compute({.graph = graph,
                    .node = node,
                    .inputs = inputs,
                    .grids = grids,
                    .out = *table.find(result_),
                    .bounds = bounds_});
  }

  std::unique_ptr<LiteFile> file_;
};

}  // namespace octet::test
