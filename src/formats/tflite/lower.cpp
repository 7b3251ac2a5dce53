#include "formats/tflite/lower.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "graph/quantize_tensor.h"
#include "ops/op_def.h"

namespace octet::lite {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

const Row* find_row(std::string_view op) {
  for (auto family : {activation_rows, conv_rows, elementwise_rows, layout_rows, matmul_rows,
                      pool_rows, reduce_rows}) {
    const auto rows = family();
    const auto it = std::ranges::find(rows, op, &Row::op);
    if (it != rows.end()) return &*it;
  }
  return nullptr;
}

const Row& row_of(const Node& node) {
  if (const Row* row = find_row(node.op)) return *row;
  refuse(node, "TFLite has no int8 form of it that octet writes");
}

Need need_of(const Graph& graph, const Node& node) { return row_of(node).need(graph, node); }

LiteTensor on_grid(std::string name, Shape shape, const QuantParams& params) {
  return {.name = std::move(name),
          .type = params.type,
          .shape = std::move(shape),
          .scale = params.scale,
          .zero_point = params.zero_point,
          .axis = std::max(params.axis, 0)};
}

}  // namespace

Need image(const Graph&, const Node&) { return Need::Image; }
Need onnx(const Graph&, const Node&) { return Need::Onnx; }
Need any(const Graph&, const Node&) { return Need::Any; }

LiteModel lower(const Graph& graph, const QuantTable& table) {
  return Lowering(graph, table).run();
}

Lowering::Lowering(const Graph& graph, const QuantTable& table)
    : graph_(graph), table_(table), shapes_(shapes_for_one(graph)), layouts_(graph, need_of) {}

LiteModel Lowering::run() {
  take_in_activations();
  add_inputs();
  for (const NodeId id : graph_.order()) lower_node(graph_.node(id));
  add_outputs();
  return std::move(model_);
}

void Lowering::take_in_activations() {
  for (const NodeId id : graph_.order()) {
    const Node& node = graph_.node(id);
    const ValueId out = node.outputs[0];
    if (table_.find(out) || graph_.value(out).dtype != DType::Float32) continue;
    const std::vector<NodeId> users = graph_.users(out);
    if (users.size() != 1 || graph_.is_output(out)) continue;
    const Node& user = graph_.node(users[0]);
    if (!std::holds_alternative<Absorbable>(op_of(user).quant.value)) continue;
    taken_in_[&node] = &user;
    done_.insert(&user);
  }
}

void Lowering::add_inputs() {
  for (const ValueId id : graph_.inputs()) {
    const Value& value = graph_.value(id);
    const QuantParams* params = table_.find(id);
    if (!params || value.dtype != DType::Float32) {
      fail(Code::Unsupported, "tflite: the input '{}' is not a quantized float32 tensor",
           value.name);
    }
    const Order order = layouts_.of(id);
    const Shape in_file =
        order == Order::ChannelsLast ? permuted(shape(id), kToChannelsLast) : shape(id);
    const int integers = model_.add(on_grid(value.name, in_file, *params));
    const int real =
        model_.add({.name = value.name + "_float", .type = DType::Float32, .shape = in_file});
    emit(tflite::BuiltinOperator_QUANTIZE, 1, options_of(tflite::QuantizeOptionsT{}), {real},
         {integers});
    model_.inputs.push_back(real);
    made_[id] = {integers, order};
  }
}

void Lowering::lower_node(const Node& node) {
  if (done_.contains(&node)) return;
  check_moves(node);
  row_of(node).lower(*this, node);
}

void Lowering::check_moves(const Node& node) const {
  const OpDef& op = op_of(node);
  if (!std::holds_alternative<Moves>(op.quant.value)) return;
  const QuantParams& out = grid(node, result(node));
  for (size_t i = 0; i < node.inputs.size() && i < op.data_inputs.value; ++i) {
    const QuantParams& in = grid(node, node.inputs[i]);
    if (in.scale == out.scale && in.zero_point == out.zero_point) continue;
    refuse(node, "its input '{}' and its output have different scales",
           graph_.value(node.inputs[i]).name);
  }
}

void Lowering::add_outputs() {
  for (const ValueId id : graph_.outputs()) {
    const auto it = made_.find(id);
    if (it == made_.end()) {
      fail(Code::Unsupported, "tflite: the output '{}' is a constant", graph_.value(id).name);
    }
    const auto [integers, order] = it->second;
    const int real = model_.add({.name = graph_.value(id).name + "_float",
                                 .type = DType::Float32,
                                 .shape = model_.tensor(integers).shape});
    emit(tflite::BuiltinOperator_DEQUANTIZE, 2, options_of(tflite::DequantizeOptionsT{}),
         {integers}, {real});
    model_.outputs.push_back(real);
  }
}

ValueId Lowering::result(const Node& node) const {
  const auto it = taken_in_.find(&node);
  return (it == taken_in_.end() ? node : *it->second).outputs[0];
}

const QuantParams& Lowering::grid(const Node& node, ValueId id) const {
  if (const QuantParams* params = table_.find(id)) return *params;
  refuse(node, "the value '{}' has no quantization parameters", graph_.value(id).name);
}

int Lowering::input(const Node& node, size_t index, Order order, size_t rank) {
  const ValueId id = node.inputs.at(index);
  rank = std::max(rank, shape(id).size());
  if (rank != 4) order = Order::Onnx;
  return graph_.is_constant(id) ? constant_operand(node, id, order, rank)
                                : computed(id, order, rank);
}

int Lowering::computed(ValueId id, Order order, size_t rank) {
  const auto [made, made_order] = made_.at(id);
  const size_t own_rank = shape(id).size();
  if (rank == own_rank && order == made_order) return made;
  const auto [slot, fresh] = moved_.try_emplace({id, order, rank}, 0);
  if (!fresh) return slot->second;

  LiteTensor wide = model_.tensor(made);
  if (rank > own_rank) {
    const int from = computed(id, Order::Onnx, own_rank);
    wide.name = graph_.value(id).name + "_wide";
    wide.shape = shape(id);
    wide.shape.insert(wide.shape.begin(), rank - own_rank, 1);
    const int to = model_.add(std::move(wide));
    emit_reshape(from, to);
    if (order == Order::Onnx) return moved_[{id, order, rank}] = to;
    wide = model_.tensor(to);
    wide.name = graph_.value(id).name + "_nhwc";
    wide.shape = permuted(model_.tensor(to).shape, kToChannelsLast);
    const int last = model_.add(std::move(wide));
    emit_transpose(to, last, kToChannelsLast);
    return moved_[{id, order, rank}] = last;
  }
  const bool to_last = order == Order::ChannelsLast;
  const auto& permutation = to_last ? kToChannelsLast : kToOnnx;
  wide.name = graph_.value(id).name + (to_last ? "_nhwc" : "_nchw");
  wide.shape = permuted(model_.tensor(made).shape, permutation);
  const int to = model_.add(std::move(wide));
  emit_transpose(made, to, permutation);
  return moved_[{id, order, rank}] = to;
}

int Lowering::constant_operand(const Node& node, ValueId id, Order order, size_t rank) {
  const auto [slot, fresh] = moved_.try_emplace({id, order, rank}, 0);
  if (!fresh) return slot->second;
  const QuantParams& params = grid(node, id);
  if (!params.per_tensor()) {
    refuse(node, "its constant '{}' has a scale per channel", graph_.value(id).name);
  }
  Tensor integers = quantize(*graph_.value(id).constant, params);
  integers.shape.insert(integers.shape.begin(), rank - integers.shape.size(), 1);
  if (order == Order::ChannelsLast) integers = permuted(integers, kToChannelsLast);
  return moved_[{id, order, rank}] = constant(graph_.value(id).name, std::move(integers), params);
}

int Lowering::output(const Node& node, Order order) {
  const ValueId id = result(node);
  if (shape(id).size() != 4) order = Order::Onnx;
  Shape in_file = order == Order::ChannelsLast ? permuted(shape(id), kToChannelsLast) : shape(id);
  const int made = model_.add(on_grid(graph_.value(id).name, std::move(in_file), grid(node, id)));
  made_[id] = {made, order};
  return made;
}

int Lowering::inner(const std::string& name, const Shape& shape, const QuantParams& params) {
  return model_.add(on_grid(name, shape, params));
}

int Lowering::constant(const std::string& name, Tensor integers, const QuantParams& params,
                       int axis) {
  LiteTensor tensor = on_grid(name, std::move(integers.shape), params);
  tensor.axis = axis;
  tensor.data = std::move(integers.bytes);
  return model_.add(std::move(tensor));
}

int Lowering::numbers(const std::string& name, std::span<const int64_t> values, Shape shape) {
  if (shape.empty()) shape = {static_cast<int64_t>(values.size())};
  return model_.add(lite::numbers(name, values, std::move(shape)));
}

int Lowering::bias(const Node& node, size_t index, const QuantParams& weight, int64_t count) {
  const ValueId id = node.input(index);
  if (id == kAbsent) {
    QuantParams params = weight;
    const float input_scale = grid(node, node.inputs[0]).scale[0];
    for (float& scale : params.scale) scale *= input_scale;
    params.type = DType::Int32;
    return constant(node.name + "/bias", Tensor(DType::Int32, {count}), params);
  }
  const Tensor* given = graph_.constant_input(node, index);
  if (!given || (given->size() != count && given->size() != 1)) {
    refuse(node, "its bias is not a constant with one number per output channel");
  }
  Tensor real(DType::Float32, {count});
  for (int64_t c = 0; c < count; ++c) {
    const auto at = static_cast<size_t>(c);
    real.as<float>()[at] = given->as<float>()[given->size() == 1 ? 0 : at];
  }
  QuantParams params = grid(node, id);
  params.axis = params.scale.size() == 1 ? -1 : 0;
  return constant(graph_.value(id).name, quantize(real, params), params);
}

bool saturates(const QuantParams& params, std::pair<float, float> bounds) {
  const double scale = params.scale[0];
  const double zero = params.zero_point[0];
  return std::nearbyint(bounds.first / scale + zero) <= params.low &&
         std::nearbyint(bounds.second / scale + zero) >= params.high;
}

std::optional<tflite::ActivationFunctionType> activation_for(std::pair<float, float> bounds) {
  using Bounds = std::pair<float, float>;
  if (bounds == Bounds{0.0F, kInfinity}) return tflite::ActivationFunctionType_RELU;
  if (bounds == Bounds{0.0F, 6.0F}) return tflite::ActivationFunctionType_RELU6;
  if (bounds == Bounds{-1.0F, 1.0F}) return tflite::ActivationFunctionType_RELU_N1_TO_1;
  if (bounds == Bounds{-kInfinity, kInfinity}) return tflite::ActivationFunctionType_NONE;
  return std::nullopt;
}

tflite::ActivationFunctionType Lowering::activation(const Node& node, bool fuses) const {
  const auto it = taken_in_.find(&node);
  if (it == taken_in_.end()) return tflite::ActivationFunctionType_NONE;
  const Node& user = *it->second;
  const auto bounds = std::get<Absorbable>(op_of(user).quant.value).bounds(graph_, user);
  const auto fused = activation_for(bounds);
  if (fuses && fused) return *fused;
  if (saturates(grid(node, result(node)), bounds)) return tflite::ActivationFunctionType_NONE;
  refuse(user,
         "TFLite cannot clip the output of {} to [{}, {}]: no fused activation has these bounds, "
         "and the output's integers do not end there",
         describe(node), bounds.first, bounds.second);
}

void Lowering::emit(tflite::BuiltinOperator code, int version, tflite::BuiltinOptionsUnion options,
                    std::vector<int> inputs, std::vector<int> outputs) {
  model_.ops.push_back({code, version, std::move(options), std::move(inputs), std::move(outputs)});
}

}  // namespace octet::lite
