#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace octet {

/// Element types of the graph, by ONNX's meaning.
enum class DType : uint8_t {
  Float32,
  Float64,
  Float16,
  BFloat16,
  Int8,
  UInt8,
  Int16,
  UInt16,
  Int32,
  Int64,
  Bool,
};

size_t size_of(DType type) noexcept;
std::string_view name_of(DType type) noexcept;  ///< "float32", "int8", ...

/// Smallest and largest integer of an integer type of at most 32 bits.
int64_t lowest(DType type);
int64_t highest(DType type);

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>)
    return DType::Float32;
  else if constexpr (std::is_same_v<T, double>)
    return DType::Float64;
  else if constexpr (std::is_same_v<T, int8_t>)
    return DType::Int8;
  else if constexpr (std::is_same_v<T, uint8_t>)
    return DType::UInt8;
  else if constexpr (std::is_same_v<T, int16_t>)
    return DType::Int16;
  else if constexpr (std::is_same_v<T, uint16_t>)
    return DType::UInt16;
  else if constexpr (std::is_same_v<T, int32_t>)
    return DType::Int32;
  else if constexpr (std::is_same_v<T, int64_t>)
    return DType::Int64;
  else
    static_assert(!sizeof(T), "no DType for this type");
}

using Shape = std::vector<int64_t>;

/// Number of elements; 1 for a scalar. Dimensions must be known (>= 0).
int64_t element_count(std::span<const int64_t> shape);

/// A constant: dense, row-major, in the byte order of the machine.
struct Tensor {
  DType dtype = DType::Float32;
  Shape shape;
  std::vector<std::byte> bytes;

  Tensor() = default;
  Tensor(DType type, Shape dims);  ///< zeros

  template <class T>
  static Tensor of(Shape dims, std::span<const T> values) {
    Tensor tensor(dtype_of<T>(), std::move(dims));
    tensor.check(dtype_of<T>(), values.size());
    std::ranges::copy(values, tensor.as<T>().begin());
    return tensor;
  }
  static Tensor scalar(float value) { return of<float>({}, std::span(&value, 1)); }
  static Tensor vector(std::span<const int64_t> values) {
    return of<int64_t>({static_cast<int64_t>(values.size())}, values);
  }

  int64_t size() const { return element_count(shape); }

  /// The elements; throws Code::Model when the tensor has another type.
  template <class T>
  std::span<T> as() {
    check(dtype_of<T>(), bytes.size() / sizeof(T));
    return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  template <class T>
  std::span<const T> as() const {
    check(dtype_of<T>(), bytes.size() / sizeof(T));
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }

 private:
  void check(DType wanted, size_t count) const;
};

}  // namespace octet
