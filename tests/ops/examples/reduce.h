#pragma once

#include <cmath>

#include "ops/example.h"

namespace octet::test {

/// A reduction over no axis still squares, takes absolute values and logarithms; ONNX Runtime 1.23
/// hands the input on.
inline std::vector<Tensor> reduced_over_nothing(const OpExample& example) {
  const Tensor& input = example.inputs[0].tensor;
  std::vector<double> numbers = numbers_of(input);
  for (double& number : numbers) {
    if (example.op == "ReduceL1" || example.op == "ReduceL2") number = std::abs(number);
    if (example.op == "ReduceSumSquare") number *= number;
    if (example.op == "ReduceLogSum") number = std::log(number);
  }
  return {floats(input.shape, numbers)};
}

inline std::vector<OpExample> reduce_examples() {
  std::vector<OpExample> examples;
  for (const std::string_view op :
       {"ReduceMean", "ReduceSum", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceProd",
        "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMin"}) {
    // A logarithm wants a sum above zero.
    const float low = op == "ReduceLogSum" ? 0.2F : -2;
    const auto image = [&] { return x({2, 3, 4, 5}, low, 2); };
    const auto matrix = [&] { return x({3, 4}, low, 2); };
    examples.push_back({op, "image", {image(), list({2, 3})}});
    examples.push_back({op, "image, to a matrix", {image(), list({2, 3})}, {{"keepdims", 0}}});
    examples.push_back({op, "negative axes", {image(), list({-1, -2})}});
    examples.push_back({op, "axes that do not touch", {image(), list({3, 1})}, {{"keepdims", 0}}});
    examples.push_back({op, "channels", {image(), list({1})}, {{"keepdims", 1}}});
    examples.push_back({op, "everything", {matrix()}});
    examples.push_back({op, "everything to a number", {matrix()}, {{"keepdims", 0}}});
    examples.push_back({op, "no axes", {matrix(), list({})}});
    examples.push_back({op, "nothing", {matrix(), list({})}, {{"noop_with_empty_axes", 1}}});
    examples.back().reference = reduced_over_nothing;
    examples.push_back({op, "a number", {x({}, 0.2F, 2)}});
    examples.push_back({op, "whole numbers", {whole({1, 2, 5})}});
  }
  return examples;
}

}  // namespace octet::test
