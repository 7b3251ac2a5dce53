#pragma once

#include "ops/example.h"

namespace octet::test {

inline std::vector<OpExample> bitwise_examples() {
  std::vector<OpExample> examples;
  const auto bits = [](DType type, Shape shape) { return as(type, x(std::move(shape), 0, 127)); };
  const auto amounts = [](Shape shape) { return as(DType::UInt8, x(std::move(shape), 0, 8)); };
  for (const char* direction : {"LEFT", "RIGHT"}) {
    examples.push_back({"BitShift",
                        direction,
                        {bits(DType::UInt8, {3, 4}), amounts({4})},
                        {{"direction", direction}}});
  }
  for (const std::string_view op : {"BitwiseAnd", "BitwiseOr", "BitwiseXor"}) {
    for (const DType type :
         {DType::Int8, DType::UInt8, DType::Int16, DType::UInt16, DType::Int32}) {
      examples.push_back({op, name_of(type), {bits(type, {3, 4}), bits(type, {4})}});
    }
    examples.push_back({op, "64 bits", {whole({-1, 5, 1LL << 40}), list({12, -3, 1LL << 40})}});
  }
  for (const DType type : {DType::Int8, DType::UInt16, DType::Int64}) {
    examples.push_back({"BitwiseNot", name_of(type), {bits(type, {3, 4})}});
  }
  return examples;
}

}  // namespace octet::test
