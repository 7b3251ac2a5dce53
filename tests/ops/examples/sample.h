#pragma once

#include "ops/example.h"

namespace octet::test {

inline std::vector<OpExample> sample_examples() {
  const auto image = [] { return x({2, 3, 4, 5}); };
  const auto grid = [] { return c({2, 3, 4, 2}, -1.3F, 1.3F); };
  std::vector<OpExample> all{
      {"GridSample", "of a volume", {x({1, 2, 3, 4, 3}), c({1, 2, 2, 3, 3})}},
      {"AffineGrid", "of an image", {x({2, 2, 3}), list({2, 3, 4, 5})}},
      {"AffineGrid", "corners", {x({2, 2, 3}), list({2, 3, 4, 5})}, {{"align_corners", 1}}},
      {"AffineGrid", "of a volume", {x({1, 3, 4}), list({1, 2, 2, 3, 4})}},
      {"Col2Im", "blocks", {x({2, 6, 6}), list({4, 4}), list({2, 3})}},
      {"Col2Im",
       "strides, dilations and pads",
       {x({1, 8, 6}), list({5, 6}), list({2, 2})},
       {{"strides", L{2, 2}}, {"dilations", L{2, 1}}, {"pads", L{1, 0, 0, 1}}}},
  };
  for (const std::string mode : {"linear", "nearest", "cubic"}) {
    for (const std::string padding : {"zeros", "border", "reflection"}) {
      for (const int64_t corners : {0, 1}) {
        all.push_back({"GridSample",
                       "modes",
                       {image(), grid()},
                       {{"mode", mode}, {"padding_mode", padding}, {"align_corners", corners}}});
      }
    }
  }
  return all;
}

}  // namespace octet::test
