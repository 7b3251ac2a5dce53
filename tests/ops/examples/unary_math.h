#pragma once

#include "ops/example.h"

namespace octet::test {

inline std::vector<OpExample> unary_math_examples() {
  struct Domain {
    std::string_view op;
    float low;
    float high;
  };
  std::vector<OpExample> examples;
  for (const auto& [op, low, high] : {
           Domain{"Abs", -4, 4},       Domain{"Neg", -4, 4},          Domain{"Sign", -4, 4},
           Domain{"Floor", -4, 4},     Domain{"Ceil", -4, 4},         Domain{"Round", -4, 4},
           Domain{"Sqrt", 0.1F, 4},    Domain{"Reciprocal", 0.2F, 4}, Domain{"Exp", -4, 4},
           Domain{"Log", 0.1F, 4},     Domain{"Sin", -4, 4},          Domain{"Cos", -4, 4},
           Domain{"Tan", -1.2F, 1.2F}, Domain{"Asin", -0.9F, 0.9F},   Domain{"Acos", -0.9F, 0.9F},
           Domain{"Atan", -4, 4},      Domain{"Sinh", -4, 4},         Domain{"Cosh", -4, 4},
           Domain{"Asinh", -4, 4},     Domain{"Acosh", 1.1F, 4},      Domain{"Atanh", -0.9F, 0.9F},
       }) {
    examples.push_back({op, "image", {x({2, 3, 4, 5}, low, high)}});
    examples.push_back({op, "number", {x({}, low, high)}});
  }
  for (const std::string_view op : {"Abs", "Neg", "Sign"}) {
    examples.push_back({op, "whole numbers", {whole({-3, 0, 5})}});
  }
  for (const std::string_view op : {"Abs", "Sign"}) {
    examples.push_back({op, "unsigned", {as(DType::UInt8, x({5}, 0, 255))}});
  }
  return examples;
}

}  // namespace octet::test
