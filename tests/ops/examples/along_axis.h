#pragma once

#include "ops/example.h"

namespace octet::test {

inline std::vector<OpExample> along_axis_examples() {
  std::vector<OpExample> examples;
  for (const std::string_view op : {"ArgMax", "ArgMin"}) {
    // Few different numbers, so that the largest comes more than once.
    const auto few = [] { return as(DType::Int32, x({3, 9}, -2, 2)); };
    examples.push_back({op, "default axis", {x({3, 4})}});
    examples.push_back({op, "channels", {x({2, 3, 4, 5})}, {{"axis", 1}, {"keepdims", 0}}});
    examples.push_back({op, "negative axis", {x({2, 3, 4})}, {{"axis", -1}}});
    examples.push_back({op, "first of equal ones", {few()}, {{"axis", 1}}});
    examples.push_back(
        {op, "last of equal ones", {few()}, {{"axis", 1}, {"select_last_index", 1}}});
  }
  examples.push_back({"CumSum", "rows", {x({3, 4}), list({1})}});
  examples.push_back({"CumSum", "negative axis", {x({2, 3, 4}), list({-2})}});
  examples.push_back({"CumSum", "exclusive", {x({2, 3, 4}), list({1})}, {{"exclusive", 1}}});
  examples.push_back({"CumSum", "reverse", {x({3, 4}), list({0})}, {{"reverse", 1}}});
  examples.push_back(
      {"CumSum", "both", {x({3, 4}), list({1})}, {{"exclusive", 1}, {"reverse", 1}}});
  examples.push_back({"CumSum", "whole numbers", {whole({3, -1, 4}), list({0})}});
  return examples;
}

}  // namespace octet::test
