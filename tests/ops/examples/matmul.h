#pragma once

#include "ops/example.h"

namespace octet::test {

inline std::vector<OpExample> matmul_examples() {
  return {
      {"Gemm", "plain", {x({3, 4}), c({4, 5}), c({5})}},
      {"Gemm", "no bias", {x({3, 4}), c({4, 5})}},
      {"Gemm", "transB", {x({3, 4}), c({5, 4}), c({5})}, {{"transB", 1}}},
      {"Gemm", "transA", {x({4, 3}), c({4, 5}), c({5})}, {{"transA", 1}}},
      {"Gemm", "alpha and beta", {x({3, 4}), c({4, 5}), c({5})}, {{"alpha", 0.5F}, {"beta", 2.0F}}},
      {"Gemm", "alpha, no bias", {x({3, 4}), c({4, 5})}, {{"alpha", 0.5F}}},
      {"Gemm", "bias 1xN", {x({3, 4}), c({4, 5}), c({1, 5})}},
      {"Gemm", "bias Mx1", {x({3, 4}), c({4, 5}), c({3, 1})}},
      {"Gemm", "bias MxN", {x({3, 4}), c({4, 5}), c({3, 5})}},
      {"Gemm", "bias is a number", {x({3, 4}), c({4, 5}), scalar(0.4F)}},
      {"Gemm", "computed weight and bias", {x({3, 4}), x({4, 5}), x({5})}},
      {"MatMul", "by a constant", {x({3, 4}), c({4, 5})}},
      {"MatMul", "batch by a constant", {x({2, 3, 4}), c({4, 5})}},
      {"MatMul", "batch by batch", {x({2, 3, 4}), x({2, 4, 5})}},
      {"MatMul", "broadcast batches", {x({2, 1, 3, 4}), x({3, 4, 5})}},
      {"MatMul", "row by matrix", {x({4}), c({4, 5})}},
      {"MatMul", "matrix by column", {x({3, 4}), c({4})}},
  };
}

}  // namespace octet::test
