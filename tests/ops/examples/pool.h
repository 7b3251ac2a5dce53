#pragma once

#include "ops/example.h"

namespace octet::test {

inline std::vector<OpExample> image_pool_examples() {
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
  return examples;
}

/// Windows over sequences and volumes, and padding and dilations that only the search knows.
inline std::vector<OpExample> spatial_pool_examples() {
  using Attributes = std::map<std::string, Attribute>;
  std::vector<OpExample> examples;
  for (const std::string_view op : {"MaxPool", "AveragePool", "LpPool"}) {
    const auto add = [&](std::string_view what, Shape image, L kernel, Attributes attributes) {
      attributes["kernel_shape"] = std::move(kernel);
      examples.push_back({op, what, {x(std::move(image))}, std::move(attributes)});
    };
    add("sequence", {2, 3, 9}, {3}, {{"strides", L{2}}});
    add("sequence, pads", {2, 3, 9}, {3}, {{"pads", L{1, 1}}, {"strides", L{2}}});
    add("sequence, ceil", {2, 3, 10}, {3}, {{"ceil_mode", 1}, {"strides", L{2}}});
    add("volume", {2, 3, 4, 5, 6}, {2, 3, 2}, {});
    add("volume, strides and pads", {2, 3, 4, 5, 6}, {2, 3, 2},
        {{"pads", L{1, 1, 1, 1, 1, 1}}, {"strides", L{2, 1, 2}}});
    add("volume, ceil", {2, 3, 5, 5, 6}, {2, 3, 3}, {{"ceil_mode", 1}, {"strides", L{2, 2, 2}}});
    add("dilated", {2, 3, 8, 9}, {2, 3}, {{"dilations", L{3, 2}}});
  }
  const auto mean = [&](std::string_view what, Shape image, Attributes attributes) {
    examples.push_back({"AveragePool", what, {x(std::move(image))}, std::move(attributes)});
  };
  mean("uneven pads that do not count", {2, 3, 7, 6},
       {{"kernel_shape", L{3, 3}}, {"pads", L{0, 1, 1, 0}}, {"strides", L{2, 1}}});
  mean("SAME_UPPER, odd", {2, 3, 6, 7},
       {{"kernel_shape", L{3, 2}}, {"auto_pad", "SAME_UPPER"}, {"strides", L{2, 1}}});
  mean("SAME_LOWER, odd", {2, 3, 6, 7},
       {{"kernel_shape", L{3, 2}}, {"auto_pad", "SAME_LOWER"}, {"strides", L{2, 1}}});
  mean("pads of more than half a window", {2, 3, 6, 7},
       {{"kernel_shape", L{3, 3}}, {"pads", L{2, 2, 2, 2}}});
  mean("dilated, padding counts", {2, 3, 8, 9},
       {{"kernel_shape", L{2, 3}},
        {"dilations", L{2, 2}},
        {"pads", L{1, 1, 1, 1}},
        {"count_include_pad", 1}});
  mean("dilated, padding does not count", {2, 3, 8, 9},
       {{"kernel_shape", L{2, 3}}, {"dilations", L{2, 2}}, {"pads", L{1, 1, 1, 1}}});
  return examples;
}

inline std::vector<OpExample> lp_pool_examples() {
  const auto lp = [](std::string_view what, std::map<std::string, Attribute> attributes) {
    attributes["kernel_shape"] = L{3, 2};
    return OpExample{"LpPool", what, {x({2, 3, 6, 7})}, std::move(attributes)};
  };
  return {
      lp("sum of magnitudes", {{"p", 1}}),
      lp("third root", {{"p", 3}, {"strides", L{2, 2}}}),
      lp("uneven pads", {{"pads", L{0, 1, 1, 0}}}),
      lp("SAME_UPPER", {{"auto_pad", "SAME_UPPER"}, {"strides", L{2, 2}}}),
      lp("SAME_LOWER", {{"auto_pad", "SAME_LOWER"}, {"strides", L{2, 2}}}),
  };
}

/// Numbers of which many are equal: the first of the largest counts.
inline Operand steps(Shape shape) {
  return as(DType::Float32, as(DType::Int32, x(std::move(shape), -3, 3)));
}

inline std::vector<OpExample> index_examples() {
  const auto max = [](std::string_view what, Operand image,
                      std::map<std::string, Attribute> attributes, int outputs = 2) {
    return OpExample{"MaxPool", what, {std::move(image)}, std::move(attributes), outputs};
  };
  const auto unpool = [](std::string_view what, Shape shape, L indices,
                         std::map<std::string, Attribute> attributes) {
    Tensor places(DType::Int64, shape);
    std::ranges::copy(indices, places.as<int64_t>().begin());
    return OpExample{"MaxUnpool",
                     what,
                     {x(std::move(shape)), {Operand::Kind::Constant, std::move(places)}},
                     std::move(attributes)};
  };
  OpExample stated = unpool("output_shape", {1, 1, 2, 2}, {5, 7, 13, 15},
                            {{"kernel_shape", L{2, 2}}, {"strides", L{2, 2}}});
  stated.inputs.push_back(list({1, 1, 4, 4}));
  OpExample equal =
      max("indices of equal numbers", steps({2, 3, 6, 7}), {{"kernel_shape", L{3, 3}}});
  equal.smooth = false;
  return {
      max("indices", x({2, 3, 6, 7}), {{"kernel_shape", L{2, 3}}}),
      equal,
      max("indices beside padding", x({2, 3, 6, 7}),
          {{"kernel_shape", L{3, 3}}, {"pads", L{1, 0, 2, 1}}, {"strides", L{2, 2}}}),
      max("indices, columns first", x({2, 3, 6, 7}),
          {{"kernel_shape", L{2, 3}}, {"storage_order", 1}}),
      max("indices, dilated, ceil", x({2, 3, 8, 9}),
          {{"kernel_shape", L{2, 3}},
           {"dilations", L{2, 2}},
           {"ceil_mode", 1},
           {"strides", L{2, 2}}}),
      max("indices of a sequence", x({2, 3, 9}), {{"kernel_shape", L{3}}, {"pads", L{1, 1}}}),
      max("indices of a volume", x({2, 3, 4, 5, 6}), {{"kernel_shape", L{2, 3, 2}}}),
      max("uint8", as(DType::UInt8, x({2, 3, 6, 7}, 0, 255)),
          {{"kernel_shape", L{3, 3}}, {"pads", L{1, 1, 1, 1}}}, 1),
      max("int8 below zero", as(DType::Int8, x({2, 3, 6, 7}, -128, -100)),
          {{"kernel_shape", L{3, 3}}, {"pads", L{1, 1, 1, 1}}}, 1),
      max("float64", f64(x({2, 3, 6, 7})), {{"kernel_shape", L{2, 2}}}, 1),
      unpool("image", {1, 1, 2, 2}, {5, 7, 13, 15},
             {{"kernel_shape", L{2, 2}}, {"strides", L{2, 2}}}),
      unpool("sequence", {1, 2, 2}, {0, 3, 5, 7}, {{"kernel_shape", L{2}}, {"strides", L{2}}}),
      unpool("pads", {1, 1, 2, 2}, {0, 2, 6, 8},
             {{"kernel_shape", L{3, 3}}, {"strides", L{2, 2}}, {"pads", L{1, 1, 1, 1}}}),
      stated,
  };
}

inline std::vector<OpExample> global_pool_examples() {
  std::vector<OpExample> examples{
      {"GlobalLpPool", "sum of magnitudes", {x({2, 3, 4, 5})}, {{"p", 1}}},
      {"GlobalLpPool", "third root", {x({2, 3, 4, 5})}, {{"p", 3}}},
  };
  for (const std::string_view op : {"GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"}) {
    examples.push_back({op, "image", {x({2, 3, 4, 5})}});
    examples.push_back({op, "sequence", {x({2, 3, 9})}});
    examples.push_back({op, "volume", {x({2, 3, 4, 5, 2})}});
  }
  return examples;
}

inline std::vector<OpExample> pool_examples() {
  std::vector<OpExample> all = image_pool_examples();
  for (auto more :
       {spatial_pool_examples, lp_pool_examples, index_examples, global_pool_examples}) {
    std::ranges::move(more(), std::back_inserter(all));
  }
  return all;
}

}  // namespace octet::test
