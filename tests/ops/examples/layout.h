#pragma once

#include "ops/example.h"

namespace octet::test {

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

}  // namespace octet::test
