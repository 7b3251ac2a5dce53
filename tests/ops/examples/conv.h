#pragma once

#include "ops/example.h"

namespace octet::test {

inline std::vector<OpExample> plain_conv_examples() {
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
      conv("sequence", {2, 3, 9}, {4, 3, 3}, {}),
      conv("sequence, everything", {2, 4, 11}, {6, 2, 3},
           {{"dilations", L{2}}, {"group", 2}, {"pads", L{2, 1}}, {"strides", L{3}}}),
      conv("sequence, SAME_LOWER", {2, 3, 8}, {4, 3, 4}, {{"auto_pad", "SAME_LOWER"}}),
      conv("volume", {2, 3, 5, 6, 4}, {4, 3, 3, 2, 3}, {}),
      conv("volume, everything", {1, 4, 6, 7, 6}, {6, 2, 2, 3, 2},
           {{"dilations", L{2, 1, 2}},
            {"group", 2},
            {"pads", L{1, 0, 1, 0, 1, 1}},
            {"strides", L{1, 2, 2}}}),
      conv("volume, SAME_UPPER", {1, 2, 5, 6, 4}, {3, 2, 2, 3, 2},
           {{"auto_pad", "SAME_UPPER"}, {"strides", L{2, 2, 1}}}),
  };
}

inline std::vector<OpExample> conv_transpose_examples() {
  const auto conv = [](std::string_view what, Shape image, Shape weight,
                       std::map<std::string, Attribute> attributes, bool bias = true) {
    const auto group = attributes.contains("group") ? std::get<int64_t>(attributes["group"]) : 1;
    std::vector<Operand> inputs{x(std::move(image)), c(weight)};
    if (bias) inputs.push_back(c({weight[1] * group}));
    return OpExample{"ConvTranspose", what, std::move(inputs), std::move(attributes)};
  };
  return {
      conv("plain", {2, 3, 4, 5}, {3, 4, 3, 3}, {}),
      conv("no bias", {2, 3, 4, 5}, {3, 4, 3, 2}, {{"kernel_shape", L{3, 2}}}, false),
      conv("strides", {2, 3, 4, 5}, {3, 4, 3, 3}, {{"strides", L{2, 3}}}),
      conv("pads", {2, 3, 4, 5}, {3, 4, 3, 3}, {{"pads", L{1, 1, 1, 1}}, {"strides", L{2, 2}}}),
      conv("uneven pads", {2, 3, 4, 5}, {3, 4, 3, 3},
           {{"pads", L{0, 1, 2, 0}}, {"strides", L{2, 2}}}),
      conv("more padding behind", {2, 3, 4, 5}, {3, 4, 4, 4}, {{"pads", L{0, 0, 1, 2}}}),
      conv("output_padding", {2, 3, 4, 5}, {3, 4, 3, 3},
           {{"output_padding", L{1, 0}}, {"pads", L{1, 1, 1, 1}}, {"strides", L{2, 2}}}),
      conv("dilations", {2, 3, 4, 5}, {3, 4, 3, 2}, {{"dilations", L{2, 3}}}),
      conv("groups", {2, 4, 4, 5}, {4, 3, 3, 3}, {{"group", 2}, {"strides", L{2, 1}}}),
      conv("depthwise", {2, 4, 4, 5}, {4, 1, 3, 3}, {{"group", 4}}),
      conv("SAME_UPPER", {2, 3, 4, 5}, {3, 4, 3, 4},
           {{"auto_pad", "SAME_UPPER"}, {"strides", L{2, 2}}}),
      conv("SAME_LOWER", {2, 3, 4, 5}, {3, 4, 3, 4},
           {{"auto_pad", "SAME_LOWER"}, {"strides", L{2, 2}}}),
      conv("VALID", {2, 3, 4, 5}, {3, 4, 3, 3}, {{"auto_pad", "VALID"}, {"strides", L{2, 2}}}),
      conv("output_shape", {2, 3, 4, 5}, {3, 4, 3, 3},
           {{"output_shape", L{8, 9}}, {"strides", L{2, 2}}}),
      conv("output_shape larger than the result", {2, 3, 3, 3}, {3, 2, 3, 3},
           {{"output_shape", L{10, 8}}, {"strides", L{3, 2}}}),
      conv("sequence", {2, 3, 6}, {3, 4, 3}, {{"pads", L{1, 0}}, {"strides", L{2}}}),
      conv("volume", {1, 3, 3, 4, 2}, {3, 2, 2, 3, 2}, {{"strides", L{2, 1, 2}}}),
      conv("volume, groups", {1, 4, 3, 4, 2}, {4, 2, 2, 3, 2},
           {{"group", 2}, {"pads", L{1, 0, 0, 0, 1, 1}}}),
  };
}

inline std::vector<OpExample> conv_integer_examples() {
  const auto conv = [](std::string_view what, std::map<std::string, Attribute> attributes,
                       std::vector<Operand> zeros = {}) {
    std::vector<Operand> inputs{as(DType::UInt8, x({2, 4, 6, 7}, 0, 255)),
                                as(DType::UInt8, c({6, 2, 3, 2}, 0, 255))};
    std::ranges::move(zeros, std::back_inserter(inputs));
    attributes["group"] = int64_t{2};
    return OpExample{"ConvInteger", what, std::move(inputs), std::move(attributes)};
  };
  const Operand zero = as(DType::UInt8, scalar(117));
  return {
      conv("plain", {{"kernel_shape", L{3, 2}}}),
      conv("a zero point of the image", {{"pads", L{1, 1, 1, 1}}}, {zero}),
      conv("both zero points", {{"dilations", L{1, 2}}, {"strides", L{2, 2}}}, {zero, zero}),
      conv("SAME_UPPER", {{"auto_pad", "SAME_UPPER"}}, {zero}),
  };
}

inline std::vector<OpExample> conv_examples() {
  std::vector<OpExample> all = plain_conv_examples();
  std::ranges::move(conv_transpose_examples(), std::back_inserter(all));
  std::ranges::move(conv_integer_examples(), std::back_inserter(all));
  return all;
}

}  // namespace octet::test
