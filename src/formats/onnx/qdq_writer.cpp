#include "formats/onnx/qdq_writer.h"

#include <algorithm>
#include <format>

#include "formats/onnx/onnx_file.h"
#include "graph/quantize_tensor.h"
#include "ops/weight.h"

namespace octet {

std::vector<HeldValue> QdqWriter::held() {
  write_nodes();
  std::vector<HeldValue> found;
  for (const auto& [id, tensor] : quantized_) {
    // What is rescaled reads the integers of its source.
    if (graph_.is_constant(id) || tensor != integers_of(id)) continue;
    found.push_back({.value = id, .tensor = tensor});
  }
  return found;
}

/// The parameters as the file holds them.
QuantParams QdqWriter::stored(ValueId id) const {
  const QuantParams& params = table_.at(id, graph_);
  const bool moved = form_.unsigned_activations && !is_weight(graph_, id);
  return moved ? moved_to_unsigned(params) : params;
}

/// The parameters of a graph input or output that holds integers; nullopt for real numbers.
std::optional<QuantParams> QdqWriter::end(ValueId id) const {
  const QuantParams* params = form_.io == Io::Float ? nullptr : table_.find(id);
  return params ? std::optional(end_grid(*params, form_.io)) : std::nullopt;
}

DType QdqWriter::end_type(ValueId id) const {
  const auto params = end(id);
  return params ? params->type : graph_.value(id).dtype;
}

/// The end holds the very integers that are stored inside.
bool QdqWriter::is_stored(const QuantParams& end, ValueId id) const {
  return end.type == stored(id).type;
}

void QdqWriter::write_input(ValueId id) {
  const auto integers = end(id);
  if (!integers) {
    if (table_.find(id)) return quantize_from(id, name(id));
    readers_[static_cast<size_t>(id)] = name(id);
    return;
  }
  note_grid(id, *integers);
  if (is_stored(*integers, id)) {
    quantized_[id] = name(id);
    return;
  }
  convert_end("DequantizeLinear", *integers, {name(id), named(id, "/real")}, named(id, "/end"));
  quantize_from(id, named(id, "/real"));
}

void QdqWriter::write_output(ValueId id) {
  const auto params = end(id);
  if (!params) {
    reader(id);
    return;
  }
  note_grid(id, *params);
  const std::string node = named(id, "/end");
  if (!is_stored(*params, id)) {
    convert_end("QuantizeLinear", *params, {reader(id), name(id)}, node);
  } else if (integers(id) != name(id)) {
    add_node("Identity", node, {integers(id)}, {name(id)});
  }
}

void QdqWriter::convert_end(const std::string& op, const QuantParams& grid,
                            const std::pair<std::string, std::string>& from_to,
                            const std::string& node) {
  const auto [scale, zero_point] = add_grid(node, grid);
  add_node(op, node, {from_to.first, scale, zero_point}, {from_to.second});
}

void QdqWriter::note_grid(ValueId id, const QuantParams& params) {
  add_metadata("octet.grid:" + name(id),
               std::format("{} {}", params.scale[0], params.zero_point[0]));
}

void QdqWriter::write_nodes() {
  readers_.resize(graph_.value_count());
  for (ValueId id : graph_.inputs()) write_input(id);
  std::set<NodeId> looked_up;
  for (const auto& [value, lookup] : table_.lookups()) {
    looked_up.insert(lookup.nodes.begin(), lookup.nodes.end());
  }
  for (NodeId id : graph_.order()) {
    if (!looked_up.contains(id)) {
      write_one(graph_.node(id));
    } else if (const Lookup* lookup = table_.find_lookup(graph_.node(id).outputs[0])) {
      write_lookup(graph_.node(id).outputs[0], *lookup);
    }
  }
  for (ValueId id : graph_.outputs()) write_output(id);
  say_grids();
}

/// A table's result, or a value on another scale, that only tables and other scales read: without
/// a DequantizeLinear, nothing in the file would say its grid.
void QdqWriter::say_grids() {
  for (const auto& [id, params] : table_.values()) {
    const bool own_grid = table_.find_lookup(id) || params.origin == Origin::Derived;
    if (!own_grid || graph_.is_constant(id) || !readers_[static_cast<size_t>(id)].empty()) {
      continue;
    }
    const std::vector<NodeId> users = graph_.users(id);
    const bool silent = !users.empty() && std::ranges::all_of(users, [&](NodeId user) {
      return table_.looked_up(user) || follows_source(graph_.node(user));
    });
    if (silent) reader(id);
  }
}

std::string QdqWriter::integers_of(ValueId out) const {
  const auto params = graph_.is_output(out) ? end(out) : std::nullopt;
  return params && is_stored(*params, out) ? name(out) : named(out, "/quantized");
}

/// The integers as indices into the table: source -> Cast -> GatherElements, which wants them in
/// a row; ONNX Runtime's Gather takes four times as long. Tables of one source share the row.
void QdqWriter::write_lookup(ValueId out, const Lookup& lookup) {
  const QuantParams grid = stored(out);
  const int32_t moved = grid.low - table_.at(out, graph_).low;
  Tensor entries(grid.type, {static_cast<int64_t>(lookup.entries.size())});
  std::ranges::transform(lookup.entries, entries.bytes.begin(),
                         [&](int32_t q) { return static_cast<std::byte>(q + moved); });
  // Indices below zero count from the end.
  if (grid.low < 0) std::ranges::rotate(entries.bytes, entries.bytes.begin() - grid.low);
  const std::string table = share(entries, named(out, "/table"));
  const std::string source = integers(lookup.source);
  Row& row = rows_[source];
  if (row.index.empty()) {
    row.shape = add_result("Shape", named(out, "/shape"), {source});
    const std::string flat = add_list(named(out, "/row"), {-1});
    row.index = cast(add_result("Reshape", named(out, "/source"), {source, flat}),
                     named(out, "/index"), onnx::TensorProto::INT32);
  }
  const std::string found =
      add_result("GatherElements", named(out, "/entries"), {table, row.index});
  add_node("Reshape", named(out, "/look_up"), {found, row.shape}, {integers_of(out)});
  made_integers(out);
}

bool QdqWriter::follows_source(const Node& node) const {
  const QuantParams* params = table_.find(node.outputs[0]);
  return params && params->origin == Origin::Derived;
}

void QdqWriter::write_one(const Node& node) {
  if (follows_source(node)) return write_rescaled(node);
  if (is_copy(node)) return quantize_from(node.outputs[0], reader(node.inputs[0]));
  if (write_on_integers(node) || write_operator(node)) return;
  write_in_float(node);
}

/// The same integers on another grid.
bool QdqWriter::is_copy(const Node& node) const {
  return node.op == "Clip" && node.inputs.size() == 1 && table_.find(node.inputs[0]) &&
         table_.find(node.outputs[0]);
}

void QdqWriter::write_in_float(const Node& node) {
  std::vector<std::string> inputs;
  for (ValueId in : node.inputs) inputs.push_back(reader(in));
  std::vector<std::string> outputs;
  for (ValueId out : node.outputs) {
    const bool rounded = out != kAbsent && table_.find(out);
    outputs.push_back(rounded && graph_.is_output(out) ? named(out, "/real") : name(out));
  }
  if (cuts_at_zero(node)) {
    write_attribute("alpha", 0.0F, add_node("LeakyRelu", node.name, {inputs[0]}, outputs));
  } else if (would_be_rounded(node)) {
    const std::string product = named(node.outputs[0], "/product");
    write_node(node, inputs, {product});
    write_attribute("alpha", 1.0F, add_node("LeakyRelu", product, {product}, outputs));
  } else {
    write_node(node, inputs, outputs);
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const ValueId out = node.outputs[i];
    if (out == kAbsent) continue;
    if (table_.find(out))
      quantize_from(out, outputs[i]);
    else
      readers_[static_cast<size_t>(out)] = name(out);
  }
}

/// A Relu, or a Clip whose upper bound lies beyond its grid, from one grid to another. ONNX
/// Runtime would leave it out and compute what remains, DequantizeLinear -> QuantizeLinear, in
/// float; as a LeakyRelu of slope 0 it is the table of the same 256 roundings.
bool QdqWriter::cuts_at_zero(const Node& node) const {
  const auto* clip = std::get_if<Absorbable>(&op_of(node).quant.value);
  const QuantParams* out = table_.find(node.outputs[0]);
  if (!clip || !out || !table_.find(node.inputs[0])) return false;
  const auto [low, high] = clip->bounds(graph_, node);
  return low == 0 && quantize(high, grid_of(*out)) == out->high;
}

/// A product with real weights between integers, perhaps with its clip. ONNX Runtime would round
/// the weights to a grid of its own choice (its pass WeightBiasQuantization) if nothing else stood
/// before QuantizeLinear; a LeakyRelu of slope 1 does nothing, and goes into the product.
bool QdqWriter::would_be_rounded(const Node& node) const {
  const bool product = node.op == "Conv" || node.op == "ConvTranspose" || node.op == "Gemm";
  if (!product || !table_.find(node.inputs[0])) return false;
  if (!graph_.is_constant(node.inputs.at(1)) || table_.find(node.inputs[1])) return false;
  ValueId out = node.outputs[0];
  while (!table_.find(out)) {
    const auto users = graph_.users(out);
    if (users.size() != 1 || graph_.is_output(out)) return false;
    const Node& user = graph_.node(users[0]);
    if (!std::holds_alternative<Absorbable>(op_of(user).quant.value)) return false;
    out = user.outputs[0];
  }
  return true;
}

/// Operators on the integers themselves that ONNX Runtime would leave in float between
/// DequantizeLinear and QuantizeLinear. False: the node is none of them.
bool QdqWriter::write_on_integers(const Node& node) {
  const ValueId out = node.outputs[0];
  const auto* moves = std::get_if<Moves>(&op_of(node).quant.value);
  if (!table_.find(out)) return false;
  if (moves && moves->fill > 0) {
    write_filled(node, moves->fill);
  } else if (node.op == "GlobalMaxPool") {
    write_global_max(node);
  } else if (node.op == "SpaceToDepth") {
    write_space_to_depth(node);
  } else if ((node.op == "Max" || node.op == "Min") && on_one_grid(node)) {
    write_extreme(node);
  } else if (const auto* clip = clip_on_one_grid(node)) {
    write_clip(node, clip->bounds(graph_, node));
  } else {
    return false;
  }
  made_integers(out);
  return true;
}

const Absorbable* QdqWriter::clip_on_one_grid(const Node& node) const {
  const auto* clip = std::get_if<Absorbable>(&op_of(node).quant.value);
  const QuantParams* in = clip ? table_.find(node.inputs[0]) : nullptr;
  const QuantParams& out = *table_.find(node.outputs[0]);
  return in && same_grid(*in, out) ? clip : nullptr;
}

void QdqWriter::write_clip(const Node& node, std::pair<float, float> bounds) {
  const QuantParams grid = stored(node.outputs[0]);
  const std::string low = share(quantize(Tensor::scalar(bounds.first), grid), node.name + "/low");
  const std::string high =
      share(quantize(Tensor::scalar(bounds.second), grid), node.name + "/high");
  add_node("Clip", node.name, {integers(node.inputs[0]), low, high},
           {integers_of(node.outputs[0])});
}

bool QdqWriter::on_one_grid(const Node& node) const {
  return std::ranges::all_of(node.inputs, [&](ValueId in) {
    const QuantParams* params = table_.find(in);
    const QuantParams& out = *table_.find(node.outputs[0]);
    return params && same_grid(*params, out);
  });
}

/// A node that moves values and fills in a number.
void QdqWriter::write_filled(const Node& node, size_t fill) {
  const ValueId out = node.outputs[0];
  const Tensor* given = graph_.constant_input(node, fill);
  const float number = given ? given->as<float>()[0] : 0.0F;
  const std::string fill_name =
      share(quantize(Tensor::scalar(number), stored(out)), named(out, "/fill"));
  std::vector<std::string> inputs;
  for (size_t i = 0; i < std::max(node.inputs.size(), fill + 1); ++i) {
    inputs.push_back(i == 0      ? integers(node.inputs[0])
                     : i == fill ? fill_name
                                 : reader(node.input(i)));
  }
  write_node(node, inputs, {integers_of(out)});
}

std::string QdqWriter::add_list(const std::string& list_name, const std::vector<int64_t>& numbers) {
  return share(Tensor::vector(numbers), list_name);
}

void QdqWriter::write_global_max(const Node& node) {
  std::vector<int64_t> spatial;
  const size_t rank = graph_.value(node.inputs[0]).shape.size();
  for (size_t d = 2; d < rank; ++d) spatial.push_back(static_cast<int64_t>(d));
  add_node("ReduceMax", node.name,
           {integers(node.inputs[0]), add_list(node.name + "/axes", spatial)},
           {integers_of(node.outputs[0])});
}

/// Rows and columns in blocks, which go to the front of the channels.
void QdqWriter::write_space_to_depth(const Node& node) {
  const int64_t block = node.integer("blocksize", 1);
  const Shape& in = graph_.value(node.inputs[0]).shape;
  const std::string blocks = node.name + "/blocks";
  const std::string turned = node.name + "/turned";
  add_node("Reshape", blocks,
           {integers(node.inputs[0]),
            add_list(blocks + "/shape", {-1, in[1], in[2] / block, block, in[3] / block, block})},
           {blocks});
  write_attribute("perm", std::vector<int64_t>{0, 3, 5, 1, 2, 4},
                  add_node("Transpose", turned, {blocks}, {turned}));
  add_node("Reshape", node.name,
           {turned, add_list(node.name + "/shape",
                             {-1, in[1] * block * block, in[2] / block, in[3] / block})},
           {integers_of(node.outputs[0])});
}

/// A node of one output, named as the node is.
std::string QdqWriter::add_result(const std::string& op, const std::string& node_name,
                                  const std::vector<std::string>& inputs) {
  add_node(op, node_name, inputs, {node_name});
  return node_name;
}

std::string QdqWriter::cast(const std::string& from, const std::string& to, int64_t type) {
  write_attribute("to", type, add_node("Cast", to + "/cast", {from}, {to}));
  return to;
}

/// ONNX Runtime has Max and Min of 32 bits only.
void QdqWriter::write_extreme(const Node& node) {
  std::vector<std::string> wide;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    wide.push_back(cast(integers(node.inputs[i]), std::format("{}/wide {}", node.name, i),
                        onnx::TensorProto::INT32));
  }
  write_node(node, wide, {node.name + "/wide"});
  cast(node.name + "/wide", integers_of(node.outputs[0]),
       form_.unsigned_activations ? onnx::TensorProto::UINT8 : onnx::TensorProto::INT8);
}

/// The node's data input, on another scale.
void QdqWriter::write_rescaled(const Node& node) {
  const ValueId source = graph_.is_constant(node.inputs[0]) ? node.inputs.at(1) : node.inputs[0];
  quantized_[node.outputs[0]] = integers(source);
}

/// What a node reads for a value; constants, and the real numbers of integers, are written when
/// first asked for.
std::string QdqWriter::reader(ValueId id) {
  if (id == kAbsent) return "";
  std::string& held = readers_[static_cast<size_t>(id)];
  if (!held.empty()) return held;
  return held = table_.find(id) ? dequantized(id) : share(*graph_.value(id).constant, name(id));
}

/// The integers of a value, computed or constant.
std::string QdqWriter::integers(ValueId id) {
  std::string& held = quantized_[id];
  if (!held.empty()) return held;
  const QuantParams grid = stored(id);
  return held = share(quantize(*graph_.value(id).constant, grid), integers_of(id));
}

void QdqWriter::quantize_from(ValueId id, const std::string& real) {
  const auto [scale, zero_point] = params_of(id);
  quantized_[id] = integers_of(id);
  add_node("QuantizeLinear", named(id, "/quantize"), {real, scale, zero_point}, {quantized_[id]});
}

std::string QdqWriter::dequantized(ValueId id) {
  const std::string from = integers(id);
  const auto [scale, zero_point] = params_of(id);
  const bool last = graph_.is_output(id) && !end(id);
  const std::string result = last ? name(id) : named(id, "/dequantized");
  onnx::NodeProto& proto =
      add_node("DequantizeLinear", named(id, "/dequantize"), {from, scale, zero_point}, {result});
  const QuantParams& params = table_.at(id, graph_);
  if (!params.per_tensor()) write_attribute("axis", int64_t{params.axis}, proto);
  return result;
}

/// The initializers of the scale and of the zero point.
std::pair<std::string, std::string> QdqWriter::params_of(ValueId id) {
  return add_grid(name(id), stored(id));
}

std::pair<std::string, std::string> QdqWriter::add_grid(const std::string& prefix,
                                                        const QuantParams& params) {
  const Shape shape =
      params.per_tensor() ? Shape{} : Shape{static_cast<int64_t>(params.scale.size())};
  QuantParams whole{.type = params.type,
                    .low = params.low,
                    .high = params.high,
                    .scale = {1.0F},
                    .zero_point = {0}};
  const std::vector<float> numbers(params.zero_point.begin(), params.zero_point.end());
  return {
      share(Tensor::of<float>(shape, params.scale), unused(prefix + "/scale")),
      share(quantize(Tensor::of<float>(shape, numbers), whole), unused(prefix + "/zero_point"))};
}

std::string QdqWriter::unused(std::string text) const {
  while (graph_.find(text)) text += '_';
  return text;
}

std::string QdqWriter::named(ValueId id, std::string_view what) const {
  return unused(name(id) + std::string(what));
}

}  // namespace octet
