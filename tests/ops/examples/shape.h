#pragma once

#include "ops/example.h"

namespace octet::test {

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

}  // namespace octet::test
