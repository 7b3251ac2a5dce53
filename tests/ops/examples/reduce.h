#pragma once

#include "ops/example.h"

namespace octet::test {

inline std::vector<OpExample> reduce_examples() {
  return {
      {"ReduceMean", "image", {x({2, 3, 4, 5}), list({2, 3})}},
      {"ReduceMean", "image, to a matrix", {x({2, 3, 4, 5}), list({2, 3})}, {{"keepdims", 0}}},
      {"ReduceMean", "negative axes", {x({2, 3, 4, 5}), list({-1, -2})}},
      {"ReduceMean", "channels", {x({2, 3, 4, 5}), list({1})}, {{"keepdims", 1}}},
      {"ReduceMean", "everything", {x({2, 3, 4, 5})}},
      {"ReduceMean", "everything to a number", {x({3, 4})}, {{"keepdims", 0}}},
      {"ReduceMean", "nothing", {x({3, 4}), list({})}, {{"noop_with_empty_axes", 1}}},
  };
}

}  // namespace octet::test
