#include "ops/element_type.h"

#include <array>

#include "base/fail.h"

namespace octet {
namespace {

struct Row {
  DType type;
  at::ScalarType torch;
  int64_t onnx;  ///< onnx.proto, TensorProto.DataType
};

constexpr std::array<Row, 11> kRows{{
    {DType::Float32, at::kFloat, 1},
    {DType::UInt8, at::kByte, 2},
    {DType::Int8, at::kChar, 3},
    {DType::UInt16, at::kUInt16, 4},
    {DType::Int16, at::kShort, 5},
    {DType::Int32, at::kInt, 6},
    {DType::Int64, at::kLong, 7},
    {DType::Bool, at::kBool, 9},
    {DType::Float16, at::kHalf, 10},
    {DType::Float64, at::kDouble, 11},
    {DType::BFloat16, at::kBFloat16, 16},
}};

}  // namespace

at::ScalarType scalar_type(DType type) {
  for (const Row& row : kRows) {
    if (row.type == type) return row.torch;
  }
  fail(Code::Unsupported, "LibTorch has no type for {}", name_of(type));
}

DType dtype_from(at::ScalarType type) {
  for (const Row& row : kRows) {
    if (row.torch == type) return row.type;
  }
  fail(Code::Unsupported, "a tensor has the type {} of LibTorch, which octet lacks",
       c10::toString(type));
}

at::ScalarType scalar_type_of(const Node& node, std::string_view attribute, int64_t fallback) {
  const int64_t number = node.integer(attribute, fallback);
  for (const Row& row : kRows) {
    if (row.onnx == number) return row.torch;
  }
  fail(Code::Unsupported, "{}: '{}' is ONNX type {}, which is not supported", describe(node),
       attribute, number);
}

}  // namespace octet
