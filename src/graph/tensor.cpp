#include "graph/tensor.h"

#include <array>
#include <limits>

#include "base/fail.h"
#include "base/text.h"

namespace octet {
namespace {

struct Row {
  DType type;
  std::string_view name;
  size_t size;
  int64_t low;
  int64_t high;
};

template <class T>
constexpr Row integer(DType type, std::string_view name) {
  return {type, name, sizeof(T), std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
}

constexpr std::array kRows{
    Row{DType::Float32, "float32", 4, 0, 0}, Row{DType::Float64, "float64", 8, 0, 0},
    Row{DType::Float16, "float16", 2, 0, 0}, Row{DType::BFloat16, "bfloat16", 2, 0, 0},
    integer<int8_t>(DType::Int8, "int8"),    integer<uint8_t>(DType::UInt8, "uint8"),
    integer<int16_t>(DType::Int16, "int16"), integer<uint16_t>(DType::UInt16, "uint16"),
    integer<int32_t>(DType::Int32, "int32"), integer<int64_t>(DType::Int64, "int64"),
    Row{DType::Bool, "bool", 1, 0, 1},
};

const Row& row(DType type) { return kRows.at(static_cast<size_t>(type)); }

}  // namespace

size_t size_of(DType type) noexcept { return row(type).size; }
std::string_view name_of(DType type) noexcept { return row(type).name; }
int64_t lowest(DType type) { return row(type).low; }
int64_t highest(DType type) { return row(type).high; }

int64_t element_count(std::span<const int64_t> shape) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / 16;  // its bytes can be counted
  int64_t count = 1;
  for (int64_t dim : shape) {
    if (dim < 0) fail(Code::Model, "the shape {} is not static", shape_text(shape));
    if (dim != 0 && count > kMost / dim) {
      fail(Code::Model, "the shape {} has too many elements", shape_text(shape));
    }
    count *= dim;
  }
  return count;
}

Tensor::Tensor(DType type, Shape dims)
    : dtype(type),
      shape(std::move(dims)),
      bytes(static_cast<size_t>(element_count(shape)) * size_of(type)) {}

void Tensor::check(DType wanted, size_t count) const {
  if (dtype != wanted || static_cast<size_t>(size()) != count) {
    fail(Code::Model, "a tensor {}[{}] was read as {}[{} elements]", name_of(dtype),
         shape_text(shape), name_of(wanted), count);
  }
}

}  // namespace octet
