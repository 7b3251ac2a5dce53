#pragma once

#include "ops/example.h"

namespace octet::test {

inline std::vector<OpExample> pool_examples() {
  const auto pool = [](std::string_view op, std::string_view what, Shape image,
                       std::map<std::string, Attribute> attributes) {
    return OpExample{op, what, {x(std::move(image))}, std::move(attributes)};
  };
  std::vector<OpExample> examples;
  for (const std::string_view op : {"MaxPool", "AveragePool"}) {
    const auto add = [&](std::string_view what, Shape image, L kernel,
                         std::map<std::string, Attribute> attributes) {
      attributes["kernel_shape"] = std::move(kernel);
      examples.push_back(pool(op, what, std::move(image), std::move(attributes)));
    };
    add("plain", {2, 3, 6, 7}, {2, 3}, {});
    add("strides", {2, 3, 6, 7}, {2, 3}, {{"strides", L{2, 3}}});
    add("pads", {2, 3, 6, 7}, {3, 3}, {{"pads", L{1, 1, 1, 1}}, {"strides", L{2, 2}}});
    add("ceil", {2, 3, 6, 7}, {3, 3}, {{"ceil_mode", 1}, {"strides", L{2, 2}}});
    add("ceil and pads", {2, 3, 6, 8}, {3, 3},
        {{"ceil_mode", 1}, {"strides", L{2, 2}}, {"pads", L{1, 1, 1, 1}}});
    add("ceil drops a window in the padding", {2, 3, 5, 5}, {2, 2},
        {{"ceil_mode", 1}, {"strides", L{3, 3}}, {"pads", L{1, 1, 1, 1}}});
    add("VALID", {2, 3, 6, 7}, {3, 2}, {{"auto_pad", "VALID"}, {"strides", L{2, 2}}});
    add("SAME_UPPER, even", {2, 3, 7, 7}, {3, 3},
        {{"auto_pad", "SAME_UPPER"}, {"strides", L{2, 2}}});
    add("whole image", {2, 3, 6, 7}, {6, 7}, {});
    add("no dilation", {2, 3, 6, 7}, {2, 2}, {{"dilations", L{1, 1}}});
  }
  const auto add_max = [&](std::string_view what, Shape image, L kernel,
                           std::map<std::string, Attribute> attributes) {
    attributes["kernel_shape"] = std::move(kernel);
    examples.push_back(pool("MaxPool", what, std::move(image), std::move(attributes)));
  };
  add_max("uneven pads", {2, 3, 6, 7}, {3, 3}, {{"pads", L{0, 1, 2, 0}}, {"strides", L{2, 2}}});
  add_max("uneven pads and ceil", {2, 3, 6, 7}, {3, 3},
          {{"pads", L{0, 1, 2, 0}}, {"strides", L{2, 2}}, {"ceil_mode", 1}});
  add_max("uneven pads, ceil drops a window", {2, 3, 5, 5}, {2, 2},
          {{"pads", L{0, 0, 1, 1}}, {"strides", L{3, 3}}, {"ceil_mode", 1}});
  add_max("pads of more than half a window", {2, 3, 6, 7}, {3, 3}, {{"pads", L{2, 2, 2, 2}}});
  add_max("SAME_UPPER", {2, 3, 6, 7}, {3, 2}, {{"auto_pad", "SAME_UPPER"}, {"strides", L{2, 2}}});
  add_max("SAME_LOWER", {2, 3, 6, 7}, {3, 2}, {{"auto_pad", "SAME_LOWER"}, {"strides", L{2, 2}}});
  add_max("dilations", {2, 3, 8, 9}, {2, 3}, {{"dilations", L{3, 2}}, {"storage_order", 0}});
  add_max("dilations and pads", {2, 3, 8, 9}, {3, 3},
          {{"dilations", L{2, 2}}, {"pads", L{1, 1, 1, 1}}});
  const auto add_mean = [&](std::string_view what, Shape image, L pads, int64_t ceil) {
    examples.push_back(pool("AveragePool", what, std::move(image),
                            {{"kernel_shape", L{3, 3}},
                             {"pads", std::move(pads)},
                             {"strides", L{2, 2}},
                             {"ceil_mode", ceil},
                             {"count_include_pad", 1}}));
  };
  add_mean("padding counts", {2, 3, 7, 7}, {1, 1, 1, 1}, 0);
  add_mean("padding counts, ceil", {2, 3, 6, 8}, {1, 1, 1, 1}, 1);
  // ONNX Runtime 1.23 takes the padding on the left for the one below: no window reaches so far.
  add_mean("padding counts, uneven", {2, 3, 7, 6}, {0, 1, 1, 2}, 0);
  add_mean("padding counts, uneven, ceil", {2, 3, 6, 7}, {0, 1, 1, 2}, 1);
  examples.push_back({"GlobalAveragePool", "image", {x({2, 3, 4, 5})}});
  examples.push_back({"GlobalMaxPool", "image", {x({2, 3, 4, 5})}});
  return examples;
}

}  // namespace octet::test
