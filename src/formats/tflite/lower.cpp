#include "formats/tflite/lower.h"

#include <algorithm>
#include <cmath>

#include "ops/op_def.h"

namespace octet::lite {
namespace {

const Row* find_row(std::string_view op) {
  for (auto family : {activation_rows, conv_rows, elementwise_rows, gather_rows, layout_rows,
                      matmul_rows, pool_rows, reduce_rows, resize_rows, slice_rows}) {
    const auto rows = family();
    const auto it = std::ranges::find(rows, op, &Row::op);
    if (it != rows.end()) return &*it;
  }
  return nullptr;
}

const Row* find_float_row(std::string_view op) {
  const auto rows = float_rows();
  const auto it = std::ranges::find(rows, op, &Row::op);
  return it == rows.end() ? nullptr : &*it;
}

/// The kernel writes the grid: the row's, or 1/32768 around 0 in 16 bits.
bool writes(const Row& row, const QuantParams& grid) {
  if (row.scale == 0) return true;
  if (grid.type == DType::Int16) return grid.scale[0] == 1.0F / 32768;
  return grid.scale[0] == row.scale && grid.zero_point[0] == row.zero_point;
}

/// Nodes that a table stands for: all lookups but those of one operator that TFLite has an 8-bit
/// kernel of (a set of targets may lack one; of 16 bits TFLite is alone).
std::set<NodeId> nodes_by_table(const Graph& graph, const QuantTable& table) {
  std::set<NodeId> found;
  for (const auto& [value, lookup] : table.lookups()) {
    const Node& last = graph.node(lookup.nodes.back());
    const bool pointwise = std::holds_alternative<Pointwise>(op_of(last).quant.value);
    const QuantParams& grid = table.at(value, graph);
    const bool single = pointwise && lookup.nodes.size() == 1 && grid.type != DType::Int16;
    const Row* row = single ? find_row(last.op) : nullptr;
    if (row && !row->newer && (!row->fits || row->fits(last)) && writes(*row, grid)) continue;
    found.insert(lookup.nodes.begin(), lookup.nodes.end());
  }
  return found;
}

std::set<const Node*> nodes_in_float(const Graph& graph, const QuantTable& table) {
  std::set<const Node*> found;
  for (const NodeId id : table.in_float()) found.insert(&graph.node(id));
  return found;
}

}  // namespace

Need image(const Graph&, const Node&) { return Need::Image; }
Need onnx(const Graph&, const Node&) { return Need::Onnx; }
Need any(const Graph&, const Node&) { return Need::Any; }

LiteModel lower(const Graph& graph, const QuantTable& table, Arithmetic arithmetic, Io io) {
  return Lowering(graph, table, arithmetic, io).run();
}

bool lowers_real(std::string_view op) { return find_row(op) || find_float_row(op); }

Lowering::Lowering(const Graph& graph, const QuantTable& table, Arithmetic arithmetic, Io io)
    : graph_(graph),
      table_(table),
      arithmetic_(arithmetic),
      io_(io),
      in_float_(nodes_in_float(graph, table)),
      looked_up_(nodes_by_table(graph, table)),
      shapes_(shapes_for_one(graph)),
      layouts_(graph, [this](NodeId id) { return need_of(id); }) {}

const Row& Lowering::row_of(const Node& node) const {
  const Row* row = find_row(node.op);
  if (real(node) && (!row || row->newer)) row = find_float_row(node.op);
  if (row) return *row;
  refuse(node, "TFLite has no {} form of it that octet writes", real(node) ? "float" : "int8");
}

Need Lowering::need_of(NodeId id) const {
  const Node& node = graph_.node(id);
  if (looked_up_.contains(id)) return Need::Any;
  return flows(node) ? row_of(node).need(graph_, node) : Need::Onnx;
}

bool Lowering::flows(const Node& node) const {
  return std::ranges::any_of(node.outputs, [&](ValueId out) {
    return out != kAbsent && graph_.value(out).dtype == DType::Float32;
  });
}

LiteModel Lowering::run() {
  take_in_activations();
  add_inputs();
  for (const NodeId id : graph_.order()) lower_node(id);
  add_outputs();
  for (const auto& [id, place] : made_) {
    const auto& [tensor, order] = place;
    if (!table_.find(id)) continue;
    model_.values.push_back({id, tensor, order == Order::ChannelsLast});
  }
  return std::move(model_);
}

void Lowering::take_in_activations() {
  std::map<ValueId, std::vector<const Node*>> readers;
  for (const NodeId id : graph_.order()) {
    for (const ValueId in : graph_.node(id).inputs) readers[in].push_back(&graph_.node(id));
  }
  for (const ValueId out : graph_.outputs()) readers[out].push_back(nullptr);
  for (const NodeId id : graph_.order()) {
    const Node& node = graph_.node(id);
    const ValueId out = node.outputs[0];
    if (looked_up_.contains(id) || !flows(node) || table_.find(out) || real(node)) continue;
    const auto& users = readers[out];
    if (users.size() != 1 || !users[0]) continue;
    if (!std::holds_alternative<Absorbable>(op_of(*users[0]).quant.value)) continue;
    taken_in_[&node] = users[0];
    done_.insert(users[0]);
  }
}

void Lowering::add_inputs() {
  for (const ValueId id : graph_.inputs()) {
    const Value& value = graph_.value(id);
    if (value.dtype == DType::Int64 || value.dtype == DType::Int32) {
      const int tokens = model_.add({.name = value.name, .type = DType::Int32, .shape = shape(id)});
      model_.inputs.push_back(tokens);
      made_[id] = {tokens, Order::Onnx};
      continue;
    }
    const QuantParams* params = table_.find(id);
    const bool stays_real = !params && read_as_real(id);
    if ((!params && !stays_real) || value.dtype != DType::Float32) {
      fail(Code::Unsupported, "tflite: the input '{}' is not a quantized float32 tensor",
           value.name);
    }
    const Order order = layouts_.of(id);
    const Shape in_file =
        order == Order::ChannelsLast ? permuted(shape(id), kToChannelsLast) : shape(id);
    if (stays_real) {
      model_.inputs.push_back(inner(value.name, in_file, kReal));
      made_[id] = {model_.inputs.back(), order};
      continue;
    }
    const int integers = inner(value.name, in_file, *params, id);
    const int end = end_of(value.name, integers, *params);
    if (end != integers) {
      emit(tflite::BuiltinOperator_QUANTIZE, io_ == Io::Float ? 1 : 2,
           options_of(tflite::QuantizeOptionsT{}), {end}, {integers});
    }
    model_.inputs.push_back(end);
    made_[id] = {integers, order};
  }
}

bool Lowering::read_as_real(ValueId id) const {
  return std::ranges::all_of(graph_.users(id),
                             [&](NodeId user) { return real(graph_.node(user)); });
}

int Lowering::end_of(const std::string& name, int integers, const QuantParams& params) {
  const Shape shape = model_.tensor(integers).shape;
  switch (io_) {
    case Io::Int8: return integers;
    case Io::UInt8: return inner(name + "_uint8", shape, end_grid(params, io_));
    case Io::Float: break;
  }
  return model_.add({.name = name + "_float", .type = DType::Float32, .shape = shape});
}

void Lowering::lower_node(NodeId id) {
  const Node& node = graph_.node(id);
  if (done_.contains(&node) || !flows(node)) return;
  if (looked_up_.contains(id)) {
    if (const Lookup* lookup = table_.find_lookup(node.outputs[0])) {
      lower_lookup(*this, node, *lookup);
    }
    return;
  }
  check_moves(node);
  const Row& row = row_of(node);
  if (row.scale != 0) check_output(node, row);
  row.lower(*this, node);
  round_results();
}

void Lowering::round_results() {
  for (const auto& [tensor, id, order] : std::exchange(unrounded_, {})) {
    const int integers = inner(graph_.value(id).name, in_file(tensor), table_.at(id, graph_), id);
    emit(tflite::BuiltinOperator_QUANTIZE, 1, options_of(tflite::QuantizeOptionsT{}), {tensor},
         {integers});
    made_[id] = {integers, order};
  }
}

void Lowering::check_output(const Node& node, const Row& row) const {
  if (real(node) || row.scale == 0) return;
  const QuantParams& out = grid(node, node.outputs[0]);
  if (writes(row, out)) return;
  const bool wide = out.type == DType::Int16;
  refuse(node, "TFLite wants its output at scale {} and zero point {}, not {} and {}",
         wide ? 1.0F / 32768 : row.scale, wide ? 0 : row.zero_point, out.scale[0],
         out.zero_point[0]);
}

void Lowering::check_moves(const Node& node) const {
  const OpDef& op = op_of(node);
  if (!std::holds_alternative<Moves>(op.quant.value)) return;
  const QuantParams& first = grid(node, result(node));
  const auto same = [&](ValueId id) {
    if (id == kAbsent || graph_.value(id).dtype != DType::Float32) return true;
    return same_grid(grid(node, id), first);
  };
  for (size_t i = 0; i < node.inputs.size() && i < op.data_inputs.value; ++i) {
    if (same(node.inputs[i])) continue;
    refuse(node, "its input '{}' and its output have different scales",
           graph_.value(node.inputs[i]).name);
  }
  for (const ValueId out : node.outputs) {
    if (same(out)) continue;
    refuse(node, "its outputs '{}' and '{}' have different scales",
           graph_.value(node.outputs[0]).name, graph_.value(out).name);
  }
}

void Lowering::add_outputs() {
  for (const ValueId id : graph_.outputs()) {
    const auto it = made_.find(id);
    if (it == made_.end()) {
      fail(Code::Unsupported, "tflite: the output '{}' is a constant", graph_.value(id).name);
    }
    const int integers = it->second.first;
    if (model_.tensor(integers).type == DType::Float32) {
      model_.outputs.push_back(integers);
      continue;
    }
    const int end = end_of(graph_.value(id).name, integers, table_.at(id, graph_));
    if (io_ == Io::Float) {
      emit(tflite::BuiltinOperator_DEQUANTIZE, 2, options_of(tflite::DequantizeOptionsT{}),
           {integers}, {end});
    } else if (end != integers) {
      emit(tflite::BuiltinOperator_QUANTIZE, 2, options_of(tflite::QuantizeOptionsT{}), {integers},
           {end});
    }
    model_.outputs.push_back(end);
  }
}

ValueId Lowering::result(const Node& node) const {
  const auto it = taken_in_.find(&node);
  return (it == taken_in_.end() ? node : *it->second).outputs[0];
}

const QuantParams& Lowering::grid(const Node& node, ValueId id) const {
  const QuantParams* params = table_.find(id);
  if (real(node) && !(params && dynamic())) return kReal;
  if (params) return *params;
  refuse(node, "the value '{}' has no quantization parameters", graph_.value(id).name);
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
