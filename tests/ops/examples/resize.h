#pragma once

#include "ops/example.h"

namespace octet::test {

/// A constant list of floats: scales, a region.
inline Operand factors(const std::vector<double>& values) {
  return {Operand::Kind::Constant, floats({static_cast<int64_t>(values.size())}, values)};
}

inline std::vector<OpExample> resize_examples() {
  const auto image = [] { return x({2, 3, 4, 5}); };
  const Operand scales = factors({1, 1, 2, 3});
  const Operand smaller = factors({1, 1, 0.5, 0.6});
  const Operand sizes = list({2, 3, 7, 8});
  std::vector<OpExample> all{
      {"Resize", "by default", {image(), absent(), scales}},
      {"Resize",
       "two of the axes",
       {image(), absent(), absent(), list({7, 9})},
       {{"axes", L{3, 2}}, {"mode", "linear"}}},
      {"Resize",
       "not larger",
       {image(), absent(), absent(), list({8, 7})},
       {{"axes", L{2, 3}}, {"keep_aspect_ratio_policy", "not_larger"}}},
      {"Resize",
       "not smaller",
       {image(), absent(), absent(), list({8, 7})},
       {{"axes", L{2, 3}}, {"keep_aspect_ratio_policy", "not_smaller"}}},
      {"Resize",
       "a region",
       {image(), factors({0, 0, 0.1, 0.2, 1, 1, 0.7, 1.4}), absent(), list({2, 3, 3, 4})},
       {{"coordinate_transformation_mode", "tf_crop_and_resize"},
        {"extrapolation_value", 10.0F},
        {"mode", "linear"}}},
      {"Resize",
       "cubic without the outside",
       {image(), absent(), scales},
       {{"mode", "cubic"}, {"cubic_coeff_a", -0.5F}, {"exclude_outside", 1}}},
      {"Resize", "one axis", {x({2, 3, 6}), absent(), factors({1, 1, 0.5})}, {{"mode", "linear"}}},
  };
  for (const std::string mode : {"nearest", "linear", "cubic"}) {
    for (const std::string place : {"half_pixel", "pytorch_half_pixel", "align_corners",
                                    "asymmetric", "half_pixel_symmetric"}) {
      const std::map<std::string, Attribute> attributes{{"mode", mode},
                                                        {"coordinate_transformation_mode", place}};
      all.push_back({"Resize", "larger", {image(), absent(), scales}, attributes});
      all.push_back({"Resize", "to a size", {image(), absent(), absent(), sizes}, attributes});
      all.push_back({"Resize", "smaller", {image(), absent(), smaller}, attributes});
    }
  }
  for (const std::string nearest : {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}) {
    all.push_back(
        {"Resize", "nearest", {image(), absent(), absent(), sizes}, {{"nearest_mode", nearest}}});
  }
  for (const std::string mode : {"linear", "cubic"}) {
    all.push_back({"Resize",
                   "antialias",
                   {x({1, 2, 8, 9}), absent(), factors({1, 1, 0.5, 0.4})},
                   {{"mode", mode}, {"antialias", 1}, {"exclude_outside", 1}}});
  }
  return all;
}

}  // namespace octet::test
