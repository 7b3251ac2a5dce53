#pragma once

#include "ops/example.h"

namespace octet::test {

inline std::vector<OpExample> sort_examples() {
  const Operand doubled{Operand::Kind::Input, Tensor::vector(L{2, 1, 1, 3, 4, 3})};
  const Operand rows = {Operand::Kind::Constant, Tensor::of<int64_t>({3, 2}, L{1, 0, 0, 5, 1, 0})};
  return {
      {"TopK", "the largest", {x({3, 5}), list({2})}, {}, 2},
      {"TopK", "the smallest", {x({3, 5}), list({3})}, {{"largest", 0}, {"axis", 0}}, 2},
      {"TopK", "sorted", {x({3, 5}), list({4})}, {{"axis", 1}, {"sorted", 1}}, 2},
      {"TopK", "equal ones by index", {doubled, list({5})}, {}, 2},
      {"Unique", "sorted", {doubled}, {}, 4},
      {"Unique", "in the order of appearance", {doubled}, {{"sorted", 0}}, 4},
      {"Unique", "rows", {rows}, {{"axis", 0}}, 4},
  };
}

}  // namespace octet::test
