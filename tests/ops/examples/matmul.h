#pragma once

#include "ops/example.h"

namespace octet::test {

inline std::vector<OpExample> matmul_examples() {
  const auto bytes = [](Shape shape) { return as(DType::UInt8, x(std::move(shape), 0, 255)); };
  const auto zero = [](Shape shape) { return as(DType::UInt8, c(std::move(shape), 0, 255)); };
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
      {"MatMul", "rows", {x({4}), x({4})}},
      {"MatMul", "row by batch", {x({4}), x({2, 4, 5})}},
      {"MatMul", "double precision", {f64(x({3, 4})), f64(x({4, 5}))}},
      {"MatMul", "whole numbers", {as(DType::Int32, x({3, 4})), as(DType::Int32, x({4, 5}))}},
      {"MatMulInteger", "no zero points", {bytes({3, 4}), bytes({4, 5})}},
      {"MatMulInteger", "zero points", {bytes({3, 4}), bytes({4, 5}), zero({}), zero({})}},
      {"MatMulInteger", "per column", {bytes({2, 3, 4}), bytes({4, 5}), zero({}), zero({5})}},
      {"MatMulInteger", "signed", {bytes({3, 4}), as(DType::Int8, x({4, 5}, -99, 99))}},
      {"Det", "matrix", {x({3, 3})}},
      {"Det", "batch", {x({2, 3, 4, 4})}},
      {"Einsum", "product", {x({3, 4}), x({4, 5})}, {{"equation", "ij,jk->ik"}}},
      {"Einsum", "implicit output", {x({3, 4}), x({4, 5})}, {{"equation", "zb,ba"}}},
      {"Einsum", "capital letters", {x({3, 4}), x({4, 5})}, {{"equation", "aB,Bc->ca"}}},
      {"Einsum", "batch", {x({2, 3, 4}), x({2, 4, 5})}, {{"equation", "bij,bjk->bik"}}},
      {"Einsum", "ellipsis", {x({2, 3, 4}), x({4, 5})}, {{"equation", "...ij,jk->...ik"}}},
      {"Einsum",
       "ellipses",
       {x({2, 1, 3, 4}), x({2, 3, 3, 4})},
       {{"equation", "...ij,...kj->...ik"}}},
      {"Einsum", "diagonal", {x({2, 4, 4})}, {{"equation", "bii->bi"}}},
      {"Einsum", "trace", {x({4, 4})}, {{"equation", "ii"}}},
      {"Einsum", "transpose", {x({2, 3, 4})}, {{"equation", "abc->cab"}}},
      {"Einsum", "sum", {x({2, 3, 4})}, {{"equation", "abc->b"}}},
      {"Einsum", "outer product", {x({3}), x({4})}, {{"equation", "i,j->ij"}}},
      {"Einsum", "three", {x({2, 3}), x({3, 4}), x({4, 5})}, {{"equation", "ab,bc,cd->ad"}}},
      {"Einsum",
       "attention scores",
       {x({2, 5, 3, 4}), x({2, 6, 3, 4})},
       {{"equation", "bqhd,bkhd->bhqk"}}},
      {"Einsum", "whole numbers", {whole({1, 2, 3}), whole({4, 5, 6})}, {{"equation", "i,i->"}}},
  };
}

}  // namespace octet::test
