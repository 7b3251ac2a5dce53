#pragma once

#include <format>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "ops/op_def.h"
#include "support/graph_builder.h"

namespace octet::test {

/// One input of an example: what flows, a constant of the graph, or an optional input not given.
struct Operand {
  enum class Kind { Input, Constant, Absent };
  Kind kind = Kind::Absent;
  Tensor tensor;
};

/// A node on its own, with data to run it on.
struct OpExample {
  std::string_view op;
  std::string_view what;
  std::vector<Operand> inputs;
  std::map<std::string, Attribute> attributes = {};

  std::string title() const { return std::format("{}: {}", op, what); }
};

/// The example as a graph of one node: its inputs are "in0", "in1", ..., its output is "out".
inline Graph graph_of(const OpExample& example) {
  Graph graph;
  Node node{.name = "node", .op = std::string(example.op), .attributes = example.attributes};
  for (size_t i = 0; i < example.inputs.size(); ++i) {
    const auto& [kind, tensor] = example.inputs[i];
    const std::string name = "in" + std::to_string(i);
    ValueId id = kAbsent;
    if (kind == Operand::Kind::Input) id = graph.add_input(name, tensor.dtype, tensor.shape);
    if (kind == Operand::Kind::Constant) id = graph.add_constant(name, tensor);
    node.inputs.push_back(id);
  }
  node.outputs = {graph.add_value("out")};
  graph.add_node(node);
  graph.add_output(node.outputs[0]);
  return graph;
}

using L = std::vector<int64_t>;

inline unsigned next_seed() {
  static unsigned seed = 0;
  return ++seed;
}
/// Data that flows; for the operators of interest [-4, 4] reaches every piece of their curves.
inline Operand x(Shape shape, float low = -4, float high = 4) {
  return {Operand::Kind::Input, random_tensor(std::move(shape), next_seed(), low, high)};
}
/// A float constant.
inline Operand c(Shape shape, float low = -1, float high = 1) {
  return {Operand::Kind::Constant, random_tensor(std::move(shape), next_seed(), low, high)};
}
inline Operand scalar(float value) { return {Operand::Kind::Constant, Tensor::scalar(value)}; }
/// A constant list: axes, a shape, pads.
inline Operand list(L values) { return {Operand::Kind::Constant, Tensor::vector(values)}; }
/// Whole numbers that flow.
inline Operand whole(L values) { return {Operand::Kind::Input, Tensor::vector(values)}; }
inline Operand absent() { return {}; }

inline std::vector<OpExample> activation_examples() {
  return {
      {"Relu", "image", {x({2, 3, 5, 4})}},
      {"Relu", "matrix", {x({3, 7})}},
      {"Clip", "both bounds", {x({2, 3, 5, 4}), scalar(0), scalar(2)}},
      {"Clip", "low alone", {x({3, 7}), scalar(-1)}},
      {"Clip", "high alone", {x({3, 7}), absent(), scalar(1)}},
      {"Clip", "no bounds", {x({3, 7})}},
      {"Clip", "low above high", {x({3, 7}), scalar(2), scalar(-2)}},
      {"LeakyRelu", "the usual slope", {x({2, 3, 4, 4})}},
      {"LeakyRelu", "alpha", {x({2, 3, 4, 4})}, {{"alpha", 0.3F}}},
      {"Sigmoid", "image", {x({2, 3, 4, 4})}},
      {"Tanh", "image", {x({2, 3, 4, 4})}},
      {"Softmax", "last axis", {x({3, 7})}},
      {"Softmax", "axis 1 of an image", {x({2, 3, 4, 4})}, {{"axis", 1}}},
      {"Softmax", "negative axis", {x({2, 3, 4, 4})}, {{"axis", -2}}},
      {"HardSigmoid", "the usual slope", {x({2, 3, 4, 4})}},
      {"HardSigmoid", "alpha and beta", {x({3, 7})}, {{"alpha", 0.4F}, {"beta", 0.3F}}},
      {"HardSwish", "image", {x({2, 3, 4, 4})}},
  };
}

inline std::vector<OpExample> conv_examples() {
  const auto conv = [](std::string_view what, Shape image, Shape weight,
                       std::map<std::string, Attribute> attributes, bool bias = true) {
    std::vector<Operand> inputs{x(std::move(image)), c(weight)};
    if (bias) inputs.push_back(c({weight[0]}));
    return OpExample{"Conv", what, std::move(inputs), std::move(attributes)};
  };
  return {
      conv("plain", {2, 3, 7, 6}, {4, 3, 3, 3}, {}),
      conv("no bias", {2, 3, 7, 6}, {4, 3, 3, 3}, {{"kernel_shape", L{3, 3}}}, false),
      conv("pads", {2, 3, 7, 6}, {4, 3, 3, 3}, {{"pads", L{1, 1, 1, 1}}}),
      conv("uneven pads", {2, 3, 7, 6}, {4, 3, 3, 3}, {{"pads", L{0, 1, 2, 3}}}),
      conv("strides", {2, 3, 7, 6}, {4, 3, 3, 2}, {{"strides", L{2, 3}}}),
      conv("dilations", {2, 3, 8, 9}, {4, 3, 3, 2}, {{"dilations", L{2, 3}}}),
      conv("groups", {2, 4, 6, 6}, {6, 2, 3, 3}, {{"group", 2}, {"pads", L{1, 1, 1, 1}}}),
      conv("depthwise", {2, 4, 6, 6}, {4, 1, 3, 3}, {{"group", 4}, {"pads", L{1, 1, 1, 1}}}),
      conv("depthwise, two each", {2, 3, 6, 6}, {6, 1, 3, 3}, {{"group", 3}}),
      conv("pointwise", {2, 5, 3, 3}, {4, 5, 1, 1}, {}),
      conv("pointwise on one pixel", {2, 5, 1, 1}, {4, 5, 1, 1}, {}),
      conv("one channel", {2, 1, 6, 6}, {3, 1, 3, 3}, {{"pads", L{1, 1, 1, 1}}}),
      conv("SAME_UPPER", {2, 3, 6, 7}, {4, 3, 3, 2},
           {{"auto_pad", "SAME_UPPER"}, {"strides", L{2, 2}}}),
      conv("SAME_LOWER", {2, 3, 6, 7}, {4, 3, 3, 2},
           {{"auto_pad", "SAME_LOWER"}, {"strides", L{2, 2}}}),
      conv("VALID", {2, 3, 6, 7}, {4, 3, 3, 2}, {{"auto_pad", "VALID"}}),
      {"Conv", "computed weight", {x({2, 3, 6, 6}), x({4, 3, 3, 3}, -1, 1)}},
  };
}

inline std::vector<OpExample> elementwise_examples() {
  std::vector<OpExample> examples;
  for (const std::string_view op : {"Add", "Sub", "Mul", "Div"}) {
    // Away from zero: a divisor.
    const auto y = [](Shape shape) { return x(std::move(shape), 0.5F, 2); };
    const auto k = [](Shape shape) { return c(std::move(shape), 0.5F, 2); };
    examples.push_back({op, "two images", {x({2, 3, 4, 5}), y({2, 3, 4, 5})}});
    examples.push_back({op, "gate per channel", {x({2, 3, 4, 5}), y({2, 3, 1, 1})}});
    examples.push_back({op, "gate on the left", {x({2, 3, 1, 1}), y({2, 3, 4, 5})}});
    examples.push_back({op, "constant per channel", {x({2, 3, 4, 5}), k({3, 1, 1})}});
    examples.push_back({op, "constant number", {x({2, 3, 4, 5}), scalar(0.7F)}});
    examples.push_back({op, "number on the left", {scalar(0.7F), y({2, 3, 4, 5})}});
    examples.push_back({op, "constant row", {x({3, 7}), k({7})}});
    examples.push_back({op, "row and column", {x({1, 7}), y({3, 1})}});
    examples.push_back({op, "whole numbers", {whole({7, -7, 9}), list({2, 2, 3})}});
  }
  return examples;
}

inline std::vector<OpExample> layout_examples() {
  const auto image = [] { return x({2, 3, 4, 5}); };
  return {
      {"Identity", "image", {image()}},
      {"Dropout", "does nothing", {image()}},
      {"Dropout", "ratio and seed", {image(), scalar(0.9F)}, {{"seed", 1}}},
      {"Reshape", "to a matrix", {image(), list({2, -1})}},
      {"Reshape", "keeps the batch", {image(), list({0, 60})}},
      {"Reshape", "keeps two", {image(), list({0, 0, -1})}},
      {"Reshape", "back to an image", {x({2, 12}), list({-1, 3, 2, 2})}},
      {"Reshape", "allowzero", {image(), list({4, 30})}, {{"allowzero", 1}}},
      {"Reshape", "to a row", {image(), list({-1})}},
      {"Flatten", "axis 1", {image()}},
      {"Flatten", "axis 0", {image()}, {{"axis", 0}}},
      {"Flatten", "axis 3", {image()}, {{"axis", 3}}},
      {"Flatten", "axis 4", {image()}, {{"axis", 4}}},
      {"Flatten", "negative axis", {image()}, {{"axis", -1}}},
      {"Transpose", "reversed", {image()}},
      {"Transpose", "NHWC", {image()}, {{"perm", L{0, 2, 3, 1}}}},
      {"Transpose", "matrix", {x({3, 7})}, {{"perm", L{1, 0}}}},
      {"Squeeze", "all", {x({1, 3, 1, 5})}},
      {"Squeeze", "axes", {x({1, 3, 1, 1}), list({2, 3})}},
      {"Squeeze", "negative axes", {x({2, 3, 1, 1}), list({-1, -2})}},
      {"Unsqueeze", "two", {x({2, 3}), list({3, 2})}},
      {"Unsqueeze", "negative axes", {x({2, 3}), list({-1, 0})}},
      {"Concat", "channels", {image(), x({2, 1, 4, 5}), c({2, 2, 4, 5})}, {{"axis", 1}}},
      {"Concat", "negative axis", {x({3, 2}), x({3, 4})}, {{"axis", -1}}},
      {"Concat", "one input", {image()}, {{"axis", 2}}},
      {"Slice", "one axis", {image(), list({1}), list({3}), list({2})}},
      {"Slice", "the first axes", {image(), list({1, 0}), list({2, 2})}},
      {"Slice", "steps", {image(), list({0, 1}), list({4, 5}), list({2, 3}), list({2, 3})}},
      {"Slice", "from the end", {image(), list({-3}), list({-1}), list({-1})}},
      {"Slice", "beyond", {image(), list({-100, 2}), list({INT64_MAX, 99}), list({2, 3})}},
      {"Slice", "backwards", {x({2, 6}), list({4}), list({0}), list({1}), list({-2})}},
      {"Slice",
       "turned",
       {x({2, 6}), list({-1, 0}), list({INT64_MIN + 1, 2}), list({1, 0}), list({-1, 1})}},
      {"Slice",
       "no axes",
       {image(), list({0, 1, 0, 2}), list({2, 3, 4, 5}), absent(), list({1, 1, 2, 2})}},
      {"Pad", "zeros", {image(), list({0, 0, 1, 2, 0, 0, 3, 0})}},
      {"Pad",
       "a number",
       {image(), list({0, 1, 1, 1, 0, 1, 1, 1}), scalar(2.5F)},
       {{"mode", "constant"}}},
      {"Pad", "axes", {image(), list({1, 2, 3, 4}), absent(), list({2, -1})}},
      {"Pad", "negative pads cut", {image(), list({0, 0, -1, 1, 0, 0, 1, -2})}},
  };
}

inline std::vector<OpExample> matmul_examples() {
  return {
      {"Gemm", "plain", {x({3, 4}), c({4, 5}), c({5})}},
      {"Gemm", "no bias", {x({3, 4}), c({4, 5})}},
      {"Gemm", "transB", {x({3, 4}), c({5, 4}), c({5})}, {{"transB", 1}}},
      {"Gemm", "transA", {x({4, 3}), c({4, 5}), c({5})}, {{"transA", 1}}},
      {"Gemm", "alpha and beta", {x({3, 4}), c({4, 5}), c({5})}, {{"alpha", 0.5F}, {"beta", 2.0F}}},
      {"Gemm", "alpha, no bias", {x({3, 4}), c({4, 5})}, {{"alpha", 0.5F}}},
      {"Gemm", "bias 1xN", {x({3, 4}), c({4, 5}), c({1, 5})}},
      {"Gemm", "bias Mx1", {x({3, 4}), c({4, 5}), c({3, 1})}},
      {"Gemm", "bias MxN", {x({3, 4}), c({4, 5}), c({3, 5})}},
      {"Gemm", "bias is a number", {x({3, 4}), c({4, 5}), scalar(0.4F)}},
      {"Gemm", "computed weight and bias", {x({3, 4}), x({4, 5}), x({5})}},
      {"MatMul", "by a constant", {x({3, 4}), c({4, 5})}},
      {"MatMul", "batch by a constant", {x({2, 3, 4}), c({4, 5})}},
      {"MatMul", "batch by batch", {x({2, 3, 4}), x({2, 4, 5})}},
      {"MatMul", "broadcast batches", {x({2, 1, 3, 4}), x({3, 4, 5})}},
      {"MatMul", "row by matrix", {x({4}), c({4, 5})}},
      {"MatMul", "matrix by column", {x({3, 4}), c({4})}},
  };
}

inline std::vector<OpExample> norm_examples() {
  const auto norm = [](std::string_view what, Shape shape,
                       std::map<std::string, Attribute> attributes) {
    const Shape row{shape[1]};
    return OpExample{"BatchNormalization",
                     what,
                     {x(std::move(shape)), c(row, -2, 2), c(row), c(row), c(row, 0.5F, 2)},
                     std::move(attributes)};
  };
  return {
      norm("image", {2, 3, 4, 5}, {}),
      norm("matrix", {4, 6}, {{"momentum", 0.8F}}),
      norm("epsilon", {2, 3, 4, 5}, {{"epsilon", 0.1F}, {"training_mode", 0}}),
  };
}

inline std::vector<OpExample> pool_examples() {
  const auto pool = [](std::string_view op, std::string_view what, Shape image,
                       std::map<std::string, Attribute> attributes) {
    return OpExample{op, what, {x(std::move(image))}, std::move(attributes)};
  };
  std::vector<OpExample> examples;
  for (const std::string_view op : {"MaxPool", "AveragePool"}) {
    const auto add = [&](std::string_view what, Shape image, L kernel,
                         std::map<std::string, Attribute> attributes) {
      attributes["kernel_shape"] = std::move(kernel);
      examples.push_back(pool(op, what, std::move(image), std::move(attributes)));
    };
    add("plain", {2, 3, 6, 7}, {2, 3}, {});
    add("strides", {2, 3, 6, 7}, {2, 3}, {{"strides", L{2, 3}}});
    add("pads", {2, 3, 6, 7}, {3, 3}, {{"pads", L{1, 1, 1, 1}}, {"strides", L{2, 2}}});
    add("ceil", {2, 3, 6, 7}, {3, 3}, {{"ceil_mode", 1}, {"strides", L{2, 2}}});
    add("ceil and pads", {2, 3, 6, 8}, {3, 3},
        {{"ceil_mode", 1}, {"strides", L{2, 2}}, {"pads", L{1, 1, 1, 1}}});
    add("ceil drops a window in the padding", {2, 3, 5, 5}, {2, 2},
        {{"ceil_mode", 1}, {"strides", L{3, 3}}, {"pads", L{1, 1, 1, 1}}});
    add("VALID", {2, 3, 6, 7}, {3, 2}, {{"auto_pad", "VALID"}, {"strides", L{2, 2}}});
    add("SAME_UPPER, even", {2, 3, 7, 7}, {3, 3},
        {{"auto_pad", "SAME_UPPER"}, {"strides", L{2, 2}}});
    add("whole image", {2, 3, 6, 7}, {6, 7}, {});
    add("no dilation", {2, 3, 6, 7}, {2, 2}, {{"dilations", L{1, 1}}});
  }
  const auto add_max = [&](std::string_view what, Shape image, L kernel,
                           std::map<std::string, Attribute> attributes) {
    attributes["kernel_shape"] = std::move(kernel);
    examples.push_back(pool("MaxPool", what, std::move(image), std::move(attributes)));
  };
  add_max("uneven pads", {2, 3, 6, 7}, {3, 3}, {{"pads", L{0, 1, 2, 0}}, {"strides", L{2, 2}}});
  add_max("uneven pads and ceil", {2, 3, 6, 7}, {3, 3},
          {{"pads", L{0, 1, 2, 0}}, {"strides", L{2, 2}}, {"ceil_mode", 1}});
  add_max("uneven pads, ceil drops a window", {2, 3, 5, 5}, {2, 2},
          {{"pads", L{0, 0, 1, 1}}, {"strides", L{3, 3}}, {"ceil_mode", 1}});
  add_max("pads of more than half a window", {2, 3, 6, 7}, {3, 3}, {{"pads", L{2, 2, 2, 2}}});
  add_max("SAME_UPPER", {2, 3, 6, 7}, {3, 2}, {{"auto_pad", "SAME_UPPER"}, {"strides", L{2, 2}}});
  add_max("SAME_LOWER", {2, 3, 6, 7}, {3, 2}, {{"auto_pad", "SAME_LOWER"}, {"strides", L{2, 2}}});
  add_max("dilations", {2, 3, 8, 9}, {2, 3}, {{"dilations", L{3, 2}}, {"storage_order", 0}});
  add_max("dilations and pads", {2, 3, 8, 9}, {3, 3},
          {{"dilations", L{2, 2}}, {"pads", L{1, 1, 1, 1}}});
  const auto add_mean = [&](std::string_view what, Shape image, L pads, int64_t ceil) {
    examples.push_back(pool("AveragePool", what, std::move(image),
                            {{"kernel_shape", L{3, 3}},
                             {"pads", std::move(pads)},
                             {"strides", L{2, 2}},
                             {"ceil_mode", ceil},
                             {"count_include_pad", 1}}));
  };
  add_mean("padding counts", {2, 3, 7, 7}, {1, 1, 1, 1}, 0);
  add_mean("padding counts, ceil", {2, 3, 6, 8}, {1, 1, 1, 1}, 1);
  // ONNX Runtime 1.23 takes the padding on the left for the one below: no window reaches so far.
  add_mean("padding counts, uneven", {2, 3, 7, 6}, {0, 1, 1, 2}, 0);
  add_mean("padding counts, uneven, ceil", {2, 3, 6, 7}, {0, 1, 1, 2}, 1);
  examples.push_back({"GlobalAveragePool", "image", {x({2, 3, 4, 5})}});
  examples.push_back({"GlobalMaxPool", "image", {x({2, 3, 4, 5})}});
  return examples;
}

inline std::vector<OpExample> reduce_examples() {
  return {
      {"ReduceMean", "image", {x({2, 3, 4, 5}), list({2, 3})}},
      {"ReduceMean", "image, to a matrix", {x({2, 3, 4, 5}), list({2, 3})}, {{"keepdims", 0}}},
      {"ReduceMean", "negative axes", {x({2, 3, 4, 5}), list({-1, -2})}},
      {"ReduceMean", "channels", {x({2, 3, 4, 5}), list({1})}, {{"keepdims", 1}}},
      {"ReduceMean", "everything", {x({2, 3, 4, 5})}},
      {"ReduceMean", "everything to a number", {x({3, 4})}, {{"keepdims", 0}}},
      {"ReduceMean", "nothing", {x({3, 4}), list({})}, {{"noop_with_empty_axes", 1}}},
  };
}

inline std::vector<OpExample> shape_examples() {
  const int64_t seven = 7;
  const Tensor filling = Tensor::of<int64_t>({1}, std::span(&seven, 1));
  return {
      {"Shape", "all", {x({2, 3, 4})}},
      {"Shape", "a part", {x({2, 3, 4, 5})}, {{"start", 1}, {"end", -1}}},
      {"ConstantOfShape", "zeros", {whole({2, 3})}},
      {"ConstantOfShape", "whole numbers", {whole({4})}, {{"value", filling}}},
      {"Cast", "to whole numbers", {x({2, 3})}, {{"to", 7}}},
      {"Cast", "to float", {whole({-1, 2})}, {{"to", 1}, {"saturate", 1}}},
      {"Gather", "rows", {x({4, 3}), list({2, 0, -1})}},
      {"Gather", "along the last axis", {x({2, 5}), list({4, 1})}, {{"axis", -1}}},
  };
}

/// Every example, the families one after the other; an operator that is added needs some here.
inline const std::vector<OpExample>& op_examples() {
  static const std::vector<OpExample> examples = [] {
    std::vector<OpExample> all;
    for (auto family :
         {activation_examples, conv_examples, elementwise_examples, layout_examples,
          matmul_examples, norm_examples, pool_examples, reduce_examples, shape_examples}) {
      std::ranges::move(family(), std::back_inserter(all));
    }
    return all;
  }();
  return examples;
}

}  // namespace octet::test
