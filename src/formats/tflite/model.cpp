#include "formats/tflite/model.h"

#include <algorithm>
#include <cstring>

namespace octet::lite {

namespace {

template <class T>
Tensor narrowed(Shape shape, std::span<const int32_t> integers) {
  Tensor tensor(dtype_of<T>(), std::move(shape));
  std::ranges::transform(integers, tensor.as<T>().begin(),
                         [](int32_t q) { return static_cast<T>(q); });
  return tensor;
}

}  // namespace

Tensor integers_of(DType type, Shape shape, std::span<const int32_t> integers) {
  return type == DType::Int16 ? narrowed<int16_t>(std::move(shape), integers)
                              : narrowed<int8_t>(std::move(shape), integers);
}

LiteTensor numbers(std::string name, std::span<const int64_t> values, Shape shape) {
  LiteTensor tensor{.name = std::move(name), .type = DType::Int32, .shape = std::move(shape)};
  for (const int64_t value : values) {
    const auto narrow = static_cast<int32_t>(value);
    const auto bytes = std::as_bytes(std::span(&narrow, 1));
    tensor.data.insert(tensor.data.end(), bytes.begin(), bytes.end());
  }
  return tensor;
}

std::vector<int64_t> numbers_of(const LiteTensor& tensor) {
  std::vector<int32_t> narrow(tensor.data.size() / sizeof(int32_t));
  std::memcpy(narrow.data(), tensor.data.data(), tensor.data.size());
  return {narrow.begin(), narrow.end()};
}

LiteOp reshape_op(LiteModel& model, int from, int to) {
  const Shape shape = model.tensor(to).shape;
  tflite::ReshapeOptionsT options;
  options.new_shape.assign(shape.begin(), shape.end());
  const int target = model.add(
      numbers(model.tensor(to).name + "/shape", shape, {static_cast<int64_t>(shape.size())}));
  return {tflite::BuiltinOperator_RESHAPE, 1, options_of(std::move(options)), {from, target}, {to}};
}

LiteOp transpose_op(LiteModel& model, int from, int to, std::span<const int64_t> permutation) {
  const auto rank = static_cast<int64_t>(permutation.size());
  const int order = model.add(numbers(model.tensor(to).name + "/perm", permutation, {rank}));
  const int version = rank > 5 ? 6 : rank > 4 ? 4 : 2;
  return {tflite::BuiltinOperator_TRANSPOSE,
          version,
          options_of(tflite::TransposeOptionsT{}),
          {from, order},
          {to}};
}

}  // namespace octet::lite
