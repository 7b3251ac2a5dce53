#pragma once

#include "ops/example.h"

namespace octet::test {

inline std::vector<OpExample> layout_examples() {
  const auto image = [] { return x({2, 3, 4, 5}); };
  return {
      {"Identity", "image", {image()}},
      {"Dropout", "does nothing", {image()}},
      {"Dropout", "ratio and seed", {image(), scalar(0.9F)}, {{"seed", 1}}},
      {"Dropout", "says that all stay", {image()}, {}, 2},
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
      {"Expand", "a row", {x({1, 4}), list({3, 1, 4})}},
      {"Expand", "the given shape is stretched", {x({2, 3, 1}), list({1, 5})}},
      {"Expand", "whole numbers", {whole({1, 2}), list({2, 2})}},
      {"Tile", "twice and thrice", {x({2, 3}), list({2, 3})}},
      {"Tile", "an image", {image(), list({1, 2, 1, 1})}},
      {"DepthToSpace", "depth first", {x({2, 8, 2, 3})}, {{"blocksize", 2}}},
      {"DepthToSpace",
       "column first",
       {x({2, 8, 2, 3})},
       {{"blocksize", 2}, {"mode", std::string("CRD")}}},
      {"SpaceToDepth", "blocks of two", {x({2, 3, 4, 6})}, {{"blocksize", 2}}},
  };
}

}  // namespace octet::test
