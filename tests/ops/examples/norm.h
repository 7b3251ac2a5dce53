#pragma once

#include "ops/example.h"

namespace octet::test {

inline std::vector<OpExample> norm_examples() {
  const auto norm = [](std::string_view what, Shape shape,
                       std::map<std::string, Attribute> attributes) {
    const Shape row{shape[1]};
    return OpExample{"BatchNormalization",
                     what,
                     {x(std::move(shape)), c(row, -2, 2), c(row), c(row), c(row, 0.5F, 2)},
                     std::move(attributes)};
  };
  return {
      norm("image", {2, 3, 4, 5}, {}),
      norm("matrix", {4, 6}, {{"momentum", 0.8F}}),
      norm("epsilon", {2, 3, 4, 5}, {{"epsilon", 0.1F}, {"training_mode", 0}}),
  };
}

}  // namespace octet::test
