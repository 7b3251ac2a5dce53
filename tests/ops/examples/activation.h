#pragma once

#include "ops/example.h"

namespace octet::test {

inline std::vector<OpExample> activation_examples() {
  return {
      {"Relu", "image", {x({2, 3, 5, 4})}},
      {"Relu", "matrix", {x({3, 7})}},
      {"Clip", "both bounds", {x({2, 3, 5, 4}), scalar(0), scalar(2)}},
      {"Clip", "low alone", {x({3, 7}), scalar(-1)}},
      {"Clip", "high alone", {x({3, 7}), absent(), scalar(1)}},
      {"Clip", "no bounds", {x({3, 7})}},
      {"Clip", "low above high", {x({3, 7}), scalar(2), scalar(-2)}},
      {"LeakyRelu", "the usual slope", {x({2, 3, 4, 4})}},
      {"LeakyRelu", "alpha", {x({2, 3, 4, 4})}, {{"alpha", 0.3F}}},
      {"Sigmoid", "image", {x({2, 3, 4, 4})}},
      {"Tanh", "image", {x({2, 3, 4, 4})}},
      {"Softmax", "last axis", {x({3, 7})}},
      {"Softmax", "axis 1 of an image", {x({2, 3, 4, 4})}, {{"axis", 1}}},
      {"Softmax", "negative axis", {x({2, 3, 4, 4})}, {{"axis", -2}}},
      {"HardSigmoid", "the usual slope", {x({2, 3, 4, 4})}},
      {"HardSigmoid", "alpha and beta", {x({3, 7})}, {{"alpha", 0.4F}, {"beta", 0.3F}}},
      {"HardSwish", "image", {x({2, 3, 4, 4})}},
  };
}

}  // namespace octet::test
