#pragma once

#include "ops/example.h"

namespace octet::test {

/// Add, Sub, Mul and Div on all kinds of pairs.
inline std::vector<OpExample> arithmetic_examples() {
  std::vector<OpExample> examples;
  for (const std::string_view op : {"Add", "Sub", "Mul", "Div"}) {
    // Away from zero: a divisor.
    const auto y = [](Shape shape) { return x(std::move(shape), 0.5F, 2); };
    const auto k = [](Shape shape) { return c(std::move(shape), 0.5F, 2); };
    examples.push_back({op, "two images", {x({2, 3, 4, 5}), y({2, 3, 4, 5})}});
    examples.push_back({op, "gate per channel", {x({2, 3, 4, 5}), y({2, 3, 1, 1})}});
    examples.push_back({op, "gate on the left", {x({2, 3, 1, 1}), y({2, 3, 4, 5})}});
    examples.push_back({op, "constant per channel", {x({2, 3, 4, 5}), k({3, 1, 1})}});
    examples.push_back({op, "constant number", {x({2, 3, 4, 5}), scalar(0.7F)}});
    examples.push_back({op, "number on the left", {scalar(0.7F), y({2, 3, 4, 5})}});
    examples.push_back({op, "constant row", {x({3, 7}), k({7})}});
    examples.push_back({op, "row and column", {x({1, 7}), y({3, 1})}});
    examples.push_back({op, "whole numbers", {whole({7, -7, 9}), list({2, 2, 3})}});
    examples.push_back({op, "double precision", {f64(x({3, 4})), f64(y({3, 4}))}});
    examples.push_back({op,
                        "32-bit integers",
                        {as(DType::Int32, x({3, 4}, -99, 99)), as(DType::Int32, x({4}, 1, 9))}});
  }
  return examples;
}

/// Operators of any number of inputs.
inline std::vector<OpExample> list_examples() {
  std::vector<OpExample> examples;
  for (const std::string_view op : {"Sum", "Mean", "Max", "Min"}) {
    examples.push_back({op, "one", {x({2, 3})}});
    examples.push_back({op, "two", {x({2, 3, 4, 5}), x({2, 3, 4, 5})}});
    examples.push_back({op, "three that broadcast", {x({2, 3, 4, 5}), c({3, 1, 1}), x({4, 1})}});
    examples.push_back({op, "with a number", {x({3, 4}), scalar(0.3F)}});
  }
  for (const std::string_view op : {"Max", "Min"}) {
    examples.push_back({op, "whole numbers", {whole({7, -7, 9}), list({2})}});
    examples.push_back({op, "double precision", {f64(x({3, 4})), f64(x({4}))}});
  }
  return examples;
}

inline std::vector<OpExample> elementwise_examples() {
  std::vector<OpExample> examples = arithmetic_examples();
  std::ranges::move(list_examples(), std::back_inserter(examples));
  std::ranges::move(
      std::vector<OpExample>{
          {"Mod", "floats", {x({3, 4}), x({3, 4}, 0.5F, 2)}, {{"fmod", 1}}},
          {"Mod", "floats by a number", {x({3, 4}), scalar(0.7F)}, {{"fmod", 1}}},
          {"Mod", "sign of the divisor", {whole({7, -7, 7, -7}), list({3, 3, -3, -3})}},
          {"Mod",
           "sign of the dividend",
           {whole({7, -7, 7, -7}), list({3, 3, -3, -3})},
           {{"fmod", 1}}},
          {"Mod",
           "small integers",
           {as(DType::UInt8, x({9}, 0, 99)), as(DType::UInt8, c({9}, 1, 9))}},
          {"Pow", "two images", {x({2, 3, 4, 5}, 0.2F, 3), x({2, 3, 4, 5}, -2, 2)}},
          {"Pow", "exponent per channel", {x({2, 3, 4, 5}, 0.2F, 3), c({3, 1, 1}, -2, 2)}},
          {"Pow", "square root", {x({3, 4}, 0.2F, 3), scalar(0.5F)}},
          {"Pow", "square of any sign", {x({3, 4}), list({2})}},
          {"Pow", "a number to the input", {scalar(2), x({3, 4})}},
          {"Pow", "whole numbers", {whole({2, -3, 1, 7}), list({3, 3, 0, 1})}},
          {"Pow", "whole base", {whole({2, 3, 4}), c({3}, 0, 2)}},
      },
      std::back_inserter(examples));
  return examples;
}

}  // namespace octet::test
