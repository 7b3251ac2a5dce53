#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "dialects/dialect.h"
#include "engine/executor.h"

namespace octet {
namespace {

at::Tensor matrix(const std::vector<int32_t>& numbers, size_t rows) {
  return to_torch(Tensor::of<int32_t>(
      {static_cast<int64_t>(rows), static_cast<int64_t>(numbers.size() / rows)}, numbers));
}

/// Row by row, as the definition says.
std::vector<int64_t> slow_product(const std::vector<int32_t>& a, const std::vector<int32_t>& b,
                                  size_t rows, size_t columns) {
  const size_t depth = a.size() / rows;
  std::vector<int64_t> sums(rows * columns, 0);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < columns; ++c) {
      for (size_t d = 0; d < depth; ++d) {
        sums[r * columns + c] += int64_t{a[r * depth + d]} * b[d * columns + c];
      }
    }
  }
  return sums;
}

/// `most`: of the right operand; small ones go through floats in two parts, large ones through
/// doubles.
void check_product(int32_t most) {
  const size_t rows = *rc::gen::inRange<size_t>(1, 5);
  const size_t columns = *rc::gen::inRange<size_t>(1, 5);
  const size_t depth = *rc::gen::inRange<size_t>(1, 200);
  const auto numbers = [](size_t count, int32_t bound) {
    return *rc::gen::container<std::vector<int32_t>>(count,
                                                     rc::gen::inRange(-bound - 1, bound + 1));
  };
  const std::vector<int32_t> a = numbers(rows * depth, 32767);
  const std::vector<int32_t> b = numbers(depth * columns, most);
  const Node node{.name = "m", .op = "MatMul", .inputs = {}, .outputs = {}, .attributes = {}};
  const at::Tensor got =
      wide_sums_of_products(node, matrix(a, rows), matrix(b, depth)).contiguous();
  const auto* sums = got.const_data_ptr<int64_t>();
  RC_ASSERT(std::vector<int64_t>(sums, sums + got.numel()) == slow_product(a, b, rows, columns));
}

RC_GTEST_PROP(WideSums, AreExactForWeights, ()) { check_product(127); }
RC_GTEST_PROP(WideSums, AreExactForActivations, ()) { check_product(32767); }

}  // namespace
}  // namespace octet
