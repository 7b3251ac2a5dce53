#pragma once

#include "ops/example.h"

namespace octet::test {

inline std::vector<OpExample> conv_examples() {
  const auto conv = [](std::string_view what, Shape image, Shape weight,
                       std::map<std::string, Attribute> attributes, bool bias = true) {
    std::vector<Operand> inputs{x(std::move(image)), c(weight)};
    if (bias) inputs.push_back(c({weight[0]}));
    return OpExample{"Conv", what, std::move(inputs), std::move(attributes)};
  };
  return {
      conv("plain", {2, 3, 7, 6}, {4, 3, 3, 3}, {}),
      conv("no bias", {2, 3, 7, 6}, {4, 3, 3, 3}, {{"kernel_shape", L{3, 3}}}, false),
      conv("pads", {2, 3, 7, 6}, {4, 3, 3, 3}, {{"pads", L{1, 1, 1, 1}}}),
      conv("uneven pads", {2, 3, 7, 6}, {4, 3, 3, 3}, {{"pads", L{0, 1, 2, 3}}}),
      conv("strides", {2, 3, 7, 6}, {4, 3, 3, 2}, {{"strides", L{2, 3}}}),
      conv("dilations", {2, 3, 8, 9}, {4, 3, 3, 2}, {{"dilations", L{2, 3}}}),
      conv("groups", {2, 4, 6, 6}, {6, 2, 3, 3}, {{"group", 2}, {"pads", L{1, 1, 1, 1}}}),
      conv("depthwise", {2, 4, 6, 6}, {4, 1, 3, 3}, {{"group", 4}, {"pads", L{1, 1, 1, 1}}}),
      conv("depthwise, two each", {2, 3, 6, 6}, {6, 1, 3, 3}, {{"group", 3}}),
      conv("pointwise", {2, 5, 3, 3}, {4, 5, 1, 1}, {}),
      conv("pointwise on one pixel", {2, 5, 1, 1}, {4, 5, 1, 1}, {}),
      conv("one channel", {2, 1, 6, 6}, {3, 1, 3, 3}, {{"pads", L{1, 1, 1, 1}}}),
      conv("SAME_UPPER", {2, 3, 6, 7}, {4, 3, 3, 2},
           {{"auto_pad", "SAME_UPPER"}, {"strides", L{2, 2}}}),
      conv("SAME_LOWER", {2, 3, 6, 7}, {4, 3, 3, 2},
           {{"auto_pad", "SAME_LOWER"}, {"strides", L{2, 2}}}),
      conv("VALID", {2, 3, 6, 7}, {4, 3, 3, 2}, {{"auto_pad", "VALID"}}),
      {"Conv", "computed weight", {x({2, 3, 6, 6}), x({4, 3, 3, 3}, -1, 1)}},
  };
}

}  // namespace octet::test
