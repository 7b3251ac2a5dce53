#pragma once

#include "ops/example.h"

namespace octet::test {

inline std::vector<OpExample> pad_examples() {
  const auto image = [] { return x({2, 3, 4, 5}); };
  const std::map<std::string, Attribute> edge{{"mode", "edge"}};
  const std::map<std::string, Attribute> reflect{{"mode", "reflect"}};
  const std::map<std::string, Attribute> wrap{{"mode", "wrap"}};
  const auto diagonal = [](int64_t k) {
    return Operand{Operand::Kind::Constant, Tensor::of<int64_t>({}, std::span(&k, 1))};
  };
  const L all{0, 1, 2, 0, 1, 0, 3, 2};
  return {
      {"Pad", "zeros", {image(), list({0, 0, 1, 2, 0, 0, 3, 0})}},
      {"Pad",
       "a number",
       {image(), list({0, 1, 1, 1, 0, 1, 1, 1}), scalar(2.5F)},
       {{"mode", "constant"}}},
      {"Pad", "axes", {image(), list({1, 2, 3, 4}), absent(), list({2, -1})}},
      {"Pad", "negative pads cut", {image(), list({0, 0, -1, 1, 0, 0, 1, -2})}},
      {"Pad", "whole numbers", {whole({1, 2}), list({1, 2})}},
      {"Pad", "the edge", {image(), list(all)}, edge},
      {"Pad", "reflected", {image(), list(all)}, reflect},
      {"Pad", "reflected along axes", {image(), list({2, 1}), absent(), list({-1})}, reflect},
      {"Pad", "wrapped", {image(), list(all)}, wrap},
      {"Pad", "wrapped whole", {x({2, 3}), list({0, 3, 0, 2})}, wrap},
      {"CenterCropPad", "crops and pads", {x({5, 7, 2}), list({8, 4, 2})}},
      {"CenterCropPad", "along axes", {x({5, 7, 4}), list({6, 3})}, {{"axes", L{0, -1}}}},
      {"Trilu", "upper", {x({3, 4})}},
      {"Trilu", "lower", {x({2, 4, 3})}, {{"upper", 0}}},
      {"Trilu", "above the diagonal", {x({4, 4}), diagonal(1)}},
      {"Trilu", "below the diagonal", {x({4, 4}), diagonal(-1)}, {{"upper", 0}}},
  };
}

}  // namespace octet::test
