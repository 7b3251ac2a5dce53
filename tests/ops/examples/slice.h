#pragma once

#include "ops/example.h"

namespace octet::test {

inline std::vector<OpExample> slice_examples() {
  const auto image = [] { return x({2, 3, 4, 5}); };
  const Operand mask = as(DType::Bool, {Operand::Kind::Constant, Tensor::vector(L{0, 1, 1, 0})});
  return {
      {"Concat", "channels", {image(), x({2, 1, 4, 5}), c({2, 2, 4, 5})}, {{"axis", 1}}},
      {"Concat", "negative axis", {x({3, 2}), x({3, 4})}, {{"axis", -1}}},
      {"Concat", "one input", {image()}, {{"axis", 2}}},
      {"Concat", "whole numbers", {whole({1, 2}), whole({3})}, {{"axis", 0}}},
      {"Split", "equal", {x({2, 6})}, {{"axis", 1}, {"num_outputs", 3}}, 3},
      {"Split", "the last is smaller", {x({7, 2})}, {{"num_outputs", 4}}, 4},
      {"Split", "given sizes", {x({2, 6}), list({1, 5})}, {{"axis", -1}}, 2},
      {"Split", "an empty part", {x({2, 3}), list({2, 0})}, {}, 2},
      {"Slice", "one axis", {image(), list({1}), list({3}), list({2})}},
      {"Slice", "the first axes", {image(), list({1, 0}), list({2, 2})}},
      {"Slice", "steps", {image(), list({0, 1}), list({4, 5}), list({2, 3}), list({2, 3})}},
      {"Slice", "from the end", {image(), list({-3}), list({-1}), list({-1})}},
      {"Slice", "beyond", {image(), list({-100, 2}), list({INT64_MAX, 99}), list({2, 3})}},
      {"Slice", "backwards", {x({2, 6}), list({4}), list({0}), list({1}), list({-2})}},
      {"Slice",
       "turned",
       {x({2, 6}), list({-1, 0}), list({INT64_MIN + 1, 2}), list({1, 0}), list({-1, 1})}},
      {"Slice", "from before the front", {x({6}), list({-9}), list({-10}), list({0}), list({-1})}},
      {"Slice",
       "no axes",
       {image(), list({0, 1, 0, 2}), list({2, 3, 4, 5}), absent(), list({1, 1, 2, 2})}},
      {"Slice", "whole numbers", {whole({1, 2, 3}), list({1}), list({3})}},
      {"ReverseSequence", "time first", {x({4, 3, 2}), list({4, 1, 2})}},
      {"ReverseSequence",
       "batch first",
       {x({3, 4}), list({1, 3, 4})},
       {{"batch_axis", 0}, {"time_axis", 1}}},
      {"Compress", "rows", {x({4, 3}), mask}, {{"axis", 0}}},
      {"Compress", "a shorter condition", {x({2, 6}), mask}, {{"axis", -1}}},
      {"Compress", "elements", {x({2, 3}), mask}},
  };
}

}  // namespace octet::test
