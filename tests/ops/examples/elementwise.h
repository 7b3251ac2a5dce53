#pragma once

#include "ops/example.h"

namespace octet::test {

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

}  // namespace octet::test
