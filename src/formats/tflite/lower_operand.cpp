#include <algorithm>
#include <limits>
#include <numeric>

#include "formats/tflite/lower.h"
#include "graph/quantize_tensor.h"

// The tensors that operators read and write: in the order and rank that they are asked for.
namespace octet::lite {
namespace {

LiteTensor on_grid(std::string name, Shape shape, const QuantParams& params) {
  return {.name = std::move(name),
          .type = params.type,
          .shape = std::move(shape),
          .scale = params.scale,
          .zero_point = params.zero_point,
          .axis = std::max(params.axis, 0)};
}

}  // namespace

int Lowering::input(const Node& node, size_t index, Order order, size_t rank) {
  const ValueId id = node.inputs.at(index);
  rank = std::max(rank, shape(id).size());
  if (rank != 4) order = Order::Onnx;
  if (graph_.is_constant(id)) return constant_operand(node, id, order, rank);
  const int tensor = computed(id, order, rank);
  return real(node) ? dequantized(tensor) : tensor;
}

int Lowering::computed(ValueId id, Order order, size_t rank) {
  const auto [made, made_order] = made_.at(id);
  const size_t own_rank = shape(id).size();
  if (rank == own_rank && order == made_order) return made;
  const std::tuple key(id, order, rank, false);
  const auto [slot, fresh] = moved_.try_emplace(key, 0);
  if (!fresh) return slot->second;

  LiteTensor wide = model_.tensor(made);
  if (rank > own_rank) {
    const int from = computed(id, Order::Onnx, own_rank);
    wide.name = graph_.value(id).name + "_wide";
    wide.value = model_.tensor(from).value;
    wide.shape = shape(id);
    wide.shape.insert(wide.shape.begin(), rank - own_rank, 1);
    const int to = model_.add(std::move(wide));
    emit_reshape(from, to);
    if (order == Order::Onnx) return moved_[key] = to;
    wide = model_.tensor(to);
    wide.name = graph_.value(id).name + "_nhwc";
    wide.value.clear();
    wide.shape = permuted(model_.tensor(to).shape, kToChannelsLast);
    const int last = model_.add(std::move(wide));
    emit_transpose(to, last, kToChannelsLast);
    return moved_[key] = last;
  }
  const bool to_last = order == Order::ChannelsLast;
  const auto& permutation = to_last ? kToChannelsLast : kToOnnx;
  wide.name = graph_.value(id).name + (to_last ? "_nhwc" : "_nchw");
  wide.value.clear();
  wide.shape = permuted(model_.tensor(made).shape, permutation);
  const int to = model_.add(std::move(wide));
  emit_transpose(made, to, permutation);
  return moved_[key] = to;
}

int Lowering::constant_operand(const Node& node, ValueId id, Order order, size_t rank) {
  const std::tuple key(id, order, rank, real(node));
  const auto [slot, fresh] = moved_.try_emplace(key, 0);
  if (!fresh) return slot->second;
  const QuantParams& params = grid(node, id);
  if (!params.per_tensor()) {
    refuse(node, "its constant '{}' has a scale per channel", graph_.value(id).name);
  }
  Tensor integers = seen_by(node, id);
  integers.shape.insert(integers.shape.begin(), rank - integers.shape.size(), 1);
  if (order == Order::ChannelsLast) integers = permuted(integers, kToChannelsLast);
  return moved_[key] = constant(id, std::move(integers), params);
}

Tensor Lowering::seen_by(const Node& node, ValueId id) const {
  const Tensor& given = *graph_.value(id).constant;
  const QuantParams& params = grid(node, id);
  const QuantParams* entry = table_.find(id);
  // A node in float may share a constant with one in integers.
  const bool shared = entry && params.type == DType::Float32;
  return shared ? dequantize(quantize(given, *entry), *entry) : quantize(given, params);
}

int Lowering::condition(const Node& node, size_t index, Order order, size_t rank) {
  const ValueId id = node.inputs.at(index);
  const Tensor* given = graph_.constant_input(node, index);
  if (!given) refuse(node, "its condition '{}' is computed by the network", graph_.value(id).name);
  Tensor truth = *given;
  truth.shape.insert(truth.shape.begin(), rank - truth.shape.size(), 1);
  if (order == Order::ChannelsLast && rank == 4) truth = permuted(truth, kToChannelsLast);
  return model_.add({.name = graph_.value(id).name,
                     .type = DType::Bool,
                     .shape = std::move(truth.shape),
                     .data = std::move(truth.bytes)});
}

int Lowering::output(const Node& node, Order order, size_t index) {
  const ValueId id = index == 0 ? result(node) : node.outputs.at(index);
  if (shape(id).size() != 4) order = Order::Onnx;
  const Shape in_file =
      order == Order::ChannelsLast ? permuted(shape(id), kToChannelsLast) : shape(id);
  if (real(node) && table_.find(id)) {
    const int unrounded = inner(graph_.value(id).name + "/real", in_file, kReal);
    unrounded_.push_back({unrounded, id, order});
    return unrounded;
  }
  const int made = inner(graph_.value(id).name, in_file, grid(node, id), id);
  made_[id] = {made, order};
  return made;
}

int Lowering::inner(const std::string& name, const Shape& shape, const QuantParams& params,
                    ValueId value) {
  LiteTensor tensor = on_grid(name, shape, params);
  if (value != kAbsent) tensor.value = graph_.value(value).name;
  return model_.add(std::move(tensor));
}

int Lowering::constant(const std::string& name, Tensor integers, const QuantParams& params,
                       int axis) {
  LiteTensor tensor = on_grid(name, std::move(integers.shape), params);
  tensor.axis = axis;
  tensor.data = std::move(integers.bytes);
  return model_.add(std::move(tensor));
}

int Lowering::constant(ValueId id, Tensor integers, const QuantParams& params, int axis) {
  const int made = constant(graph_.value(id).name, std::move(integers), params, axis);
  model_.tensor(made).packed = params.type == DType::Int8 && params.low >= -8 && params.high <= 7;
  model_.tensor(made).value = graph_.value(id).name;
  return made;
}

int Lowering::lowest_number(const std::string& name, const QuantParams& params) {
  if (params.type == DType::Float32) {
    return real_number(name, std::numeric_limits<float>::lowest());
  }
  const auto least = static_cast<int32_t>(lowest(params.type));
  return constant(name, integers_of(params.type, {1}, std::span(&least, 1)), params);
}

int Lowering::dequantized(int tensor) {
  if (model_.tensor(tensor).type == DType::Float32) return tensor;
  const auto [slot, fresh] = dequantized_.try_emplace(tensor, 0);
  if (!fresh) return slot->second;
  LiteTensor real{.name = model_.tensor(tensor).name + "_real",
                  .type = DType::Float32,
                  .shape = model_.tensor(tensor).shape};
  const int version = model_.tensor(tensor).scale.size() > 1 ? 5 : 2;
  slot->second = model_.add(std::move(real));
  emit(tflite::BuiltinOperator_DEQUANTIZE, version, options_of(tflite::DequantizeOptionsT{}),
       {tensor}, {slot->second});
  return slot->second;
}

int Lowering::numbers(const std::string& name, std::span<const int64_t> values,
                      const std::optional<Shape>& shape) {
  const Shape vector{static_cast<int64_t>(values.size())};
  return model_.add(lite::numbers(name, values, shape ? *shape : vector));
}

int Lowering::indices(const Node& node, size_t index, int64_t extent) {
  const ValueId id = node.inputs.at(index);
  if (const Tensor* given = graph_.constant_input(node, index)) {
    std::vector<int64_t> wrapped = parameter(*this, node, index);
    for (int64_t& number : wrapped) number += number < 0 ? extent : 0;
    return numbers(graph_.value(id).name, wrapped, given->shape);
  }
  const auto made = made_.find(id);
  if (made != made_.end()) return made->second.first;
  refuse(node, "its indices '{}' are computed by the network; wanted constants or an input",
         graph_.value(id).name);
}

namespace {

/// 32-bit biases as the kernels of 16-bit activations want them.
Tensor widened(const Tensor& narrow) {
  Tensor wide(DType::Int64, narrow.shape);
  std::ranges::copy(narrow.as<int32_t>(), wide.as<int64_t>().begin());
  return wide;
}

}  // namespace

Tensor Lowering::weight(const Node& node, size_t index) const {
  const ValueId id = node.inputs.at(index);
  const QuantParams& params = grid(node, id);
  const std::string& name = graph_.value(id).name;
  for (const int32_t zero_point : params.zero_point) {
    if (zero_point == 0) continue;
    refuse(node, "its weight '{}' has the zero point {}; TFLite's weights are symmetric", name,
           zero_point);
  }
  Tensor integers = seen_by(node, id);
  if (integers.dtype != DType::Int8) return integers;
  const auto beyond = std::ranges::count(integers.as<int8_t>(), int8_t{-128});
  if (beyond > 0) {
    refuse(node, "its weight '{}' is -128 in {} place(s); TFLite's weights lie in [-127, 127]",
           name, beyond);
  }
  return integers;
}

int Lowering::bias(const Node& node, size_t index, const QuantParams& weight, int64_t count) {
  const ValueId id = node.input(index);
  const QuantParams& in = grid(node, node.inputs[0]);
  const DType type = in.type == DType::Int16     ? DType::Int64
                     : in.type == DType::Float32 ? DType::Float32
                                                 : DType::Int32;
  if (id == kAbsent) {
    QuantParams params = real(node) ? kReal : weight;
    for (float& scale : params.scale) scale *= in.scale[0];
    params.type = type;
    return constant(node.name + "/bias", Tensor(type, {count}), params);
  }
  const Tensor* given = graph_.constant_input(node, index);
  if (!given || (given->size() != count && given->size() != 1)) {
    refuse(node, "its bias is not a constant with one number per output channel");
  }
  const Tensor held = real(node) ? seen_by(node, id) : *given;
  Tensor real(DType::Float32, {count});
  for (int64_t c = 0; c < count; ++c) {
    const auto at = static_cast<size_t>(c);
    real.as<float>()[at] = held.as<float>()[held.size() == 1 ? 0 : at];
  }
  QuantParams params = grid(node, id);
  params.axis = params.scale.size() == 1 ? -1 : 0;
  Tensor integers = quantize(real, params);
  params.type = type;
  return constant(id, type == DType::Int64 ? widened(integers) : std::move(integers), params);
}

std::vector<int64_t> parameter(const Lowering& to, const Node& node, size_t index,
                               std::vector<int64_t> fallback) {
  if (node.input(index) == kAbsent) return fallback;
  const Tensor* given = to.graph().constant_input(node, index);
  if (!given) refuse(node, "its input {} is computed by the network", index);
  if (given->dtype == DType::Int32) {
    const auto narrow = given->as<int32_t>();
    return {narrow.begin(), narrow.end()};
  }
  const auto wide = given->as<int64_t>();
  return {wide.begin(), wide.end()};
}

std::vector<int64_t> counting(size_t count) {
  std::vector<int64_t> numbers(count);
  std::ranges::iota(numbers, 0);
  return numbers;
}

}  // namespace octet::lite
