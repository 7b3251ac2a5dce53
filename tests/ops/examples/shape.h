#pragma once

#include "ops/example.h"

namespace octet::test {

inline std::vector<OpExample> shape_examples() {
  const int64_t seven = 7;
  const Tensor filling = Tensor::of<int64_t>({1}, std::span(&seven, 1));
  const auto number = [](int64_t value) {
    return Operand{Operand::Kind::Constant, Tensor::of<int64_t>({}, std::span(&value, 1))};
  };
  const Tensor half = from_torch(to_torch(Tensor::scalar(0.5F)).to(at::kHalf).reshape({1}));
  return {
      {"Shape", "all", {x({2, 3, 4})}},
      {"Shape", "a part", {x({2, 3, 4, 5})}, {{"start", 1}, {"end", -1}}},
      {"Shape", "of truth values", {as(DType::Bool, x({3, 2}))}},
      {"Size", "of an image", {x({2, 3, 4})}},
      {"ConstantOfShape", "zeros", {whole({2, 3})}},
      {"ConstantOfShape", "whole numbers", {whole({4})}, {{"value", filling}}},
      {"ConstantOfShape", "half precision", {whole({2})}, {{"value", half}}},
      {"Cast", "to whole numbers", {x({2, 3})}, {{"to", 7}}},
      {"Cast", "to float", {whole({-1, 2})}, {{"to", 1}, {"saturate", 1}}},
      {"Cast", "to half precision", {x({2, 3})}, {{"to", 10}}},
      {"Cast", "to truth values", {whole({-1, 0, 2})}, {{"to", 9}}},
      {"Cast", "to bytes", {x({2, 3}, 0, 9)}, {{"to", 2}}},
      {"Cast", "from truth values", {as(DType::Bool, x({2, 3}))}, {{"to", 6}}},
      {"Cast", "to double", {x({2, 3})}, {{"to", 11}}},
      {"CastLike", "whole numbers", {x({2, 3}), list({1})}, {{"saturate", 1}}},
      {"Range", "whole numbers", {number(3), number(10), number(2)}},
      {"Range", "downwards", {number(5), number(-4), number(-3)}},
      {"Range", "empty", {number(5), number(5), number(1)}},
      {"Range", "floats", {scalar(0.5F), scalar(2.0F), scalar(0.4F)}},
      {"EyeLike", "of the same type", {x({3, 4})}},
      {"EyeLike", "a diagonal above", {x({3, 4})}, {{"k", 1}, {"dtype", 7}}},
      {"EyeLike", "a diagonal below", {x({4, 3})}, {{"k", -2}}},
      {"OneHot", "last axis", {whole({0, 2, -1, 5}), number(3), c({2})}},
      {"OneHot", "first axis", {whole({1, 0}), number(4), c({2})}, {{"axis", 0}}},
      {"NonZero", "of a matrix", {as(DType::Bool, c({3, 4}))}},
  };
}

}  // namespace octet::test
