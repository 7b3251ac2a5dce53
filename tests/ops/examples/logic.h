#pragma once

#include <limits>

#include "ops/example.h"

namespace octet::test {

/// Numbers among which some are not.
inline Operand unusual() {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> numbers{1, -kInfinity, kInfinity,
                                   std::numeric_limits<float>::quiet_NaN()};
  return {Operand::Kind::Input, Tensor::of<float>({4}, numbers)};
}

inline std::vector<OpExample> logic_examples() {
  std::vector<OpExample> examples;
  const auto truths = [](Shape shape) { return as(DType::Bool, x(std::move(shape))); };
  for (const std::string_view op : {"And", "Or", "Xor"}) {
    examples.push_back({op, "two", {truths({3, 4}), truths({3, 4})}});
    examples.push_back({op, "broadcast", {truths({2, 3, 4}), truths({3, 1})}});
  }
  examples.push_back({"Not", "truths", {truths({3, 4})}});
  for (const std::string_view op : {"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"}) {
    // Few different numbers, so that some are equal.
    const auto few = [](DType type, Shape shape) { return as(type, x(std::move(shape), -2, 2)); };
    examples.push_back({op, "floats", {x({3, 4}), x({4})}});
    examples.push_back({op, "with a number", {x({3, 4}), scalar(0.3F)}});
    for (const DType type : {DType::Int32, DType::Int64}) {
      examples.push_back({op, name_of(type), {few(type, {3, 4}), few(type, {3, 1})}});
    }
    examples.push_back({op, "NaN and infinities", {unusual(), scalar(1)}});
  }
  examples.push_back({"Equal", "truths", {truths({3, 4}), truths({4})}});
  examples.push_back({"IsNaN", "all kinds", {unusual()}});
  examples.push_back({"IsInf", "both", {unusual()}});
  examples.push_back({"IsInf", "positive", {unusual()}, {{"detect_negative", 0}}});
  examples.push_back({"IsInf", "negative", {unusual()}, {{"detect_positive", 0}}});
  examples.push_back(
      {"IsInf", "neither", {unusual()}, {{"detect_positive", 0}, {"detect_negative", 0}}});
  examples.push_back({"Where", "images", {truths({2, 3, 4, 5}), x({2, 3, 4, 5}), x({2, 3, 4, 5})}});
  examples.push_back({"Where", "broadcast", {truths({3, 1, 1}), x({4, 1}), c({2, 1, 1, 5})}});
  examples.push_back({"Where", "a mask with a number", {truths({3, 4}), x({3, 4}), scalar(-9)}});
  examples.push_back({"Where", "whole numbers", {truths({3}), whole({1, 2, 3}), list({-1})}});
  return examples;
}

}  // namespace octet::test
