#include "formats/onnx/qdq_writer.h"

#include <algorithm>
#include <format>

#include "graph/quantize_tensor.h"

namespace octet {

QuantParams deployed(const QuantParams& params) {
  if (params.type != DType::Int8 || params.low != -128) return params;
  QuantParams moved = params;
  moved.type = DType::UInt8;
  moved.low += 128;
  moved.high += 128;
  for (int32_t& zero_point : moved.zero_point) zero_point += 128;
  return moved;
}

std::string QdqWriter::named(ValueId id, std::string_view what) const {
  std::string text = name(id) + std::string(what);
  while (graph_.find(text)) text += '_';
  return text;
}

void QdqWriter::made_integers(ValueId id, std::string integers) {
  quantized_[id] = std::move(integers);
  if (when_ == When::AtOnce) reader(id);
}

void QdqWriter::write_nodes() {
  readers_.resize(graph_.value_count());
  for (ValueId id : graph_.inputs()) {
    if (table_.find(id))
      round_trip(id, name(id));
    else
      readers_[static_cast<size_t>(id)] = name(id);
  }
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
  for (const ValueId id : graph_.outputs()) reader(id);
}

/// The integers as indices into the table: source -> Cast -> Gather.
void QdqWriter::write_lookup(ValueId out, const Lookup& lookup) {
  const QuantParams stored = deployed(table_.at(out, graph_));
  const int32_t moved = stored.low - table_.at(out, graph_).low;
  Tensor entries(stored.type, {static_cast<int64_t>(lookup.entries.size())});
  std::ranges::transform(lookup.entries, entries.as<uint8_t>().begin(),
                         [&](int32_t q) { return static_cast<uint8_t>(q + moved); });
  add_initializer(entries, named(out, "/table"));
  onnx::NodeProto& cast =
      add_node("Cast", named(out, "/index"), {integers(lookup.source)}, {named(out, "/index")});
  write_attribute("to", int64_t{onnx::TensorProto::INT32}, cast);
  add_node("Gather", named(out, "/look_up"), {named(out, "/table"), named(out, "/index")},
           {integers_of(out)});
  made_integers(out);
}

bool QdqWriter::follows_source(const Node& node) const {
  const QuantParams* params = table_.find(node.outputs[0]);
  return params && params->origin == Origin::Derived;
}

void QdqWriter::write_one(const Node& node) {
  if (follows_source(node)) return write_rescaled(node);
  if (is_copy(node)) return round_trip(node.outputs[0], reader(node.inputs[0]));
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
  write_node(node, inputs, outputs);
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const ValueId out = node.outputs[i];
    if (out == kAbsent) continue;
    if (table_.find(out))
      round_trip(out, outputs[i]);
    else
      readers_[static_cast<size_t>(out)] = name(out);
  }
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
  const bool one = in && in->scale == out.scale && in->zero_point == out.zero_point;
  return one ? clip : nullptr;
}

void QdqWriter::write_clip(const Node& node, std::pair<float, float> bounds) {
  const QuantParams grid = deployed(table_.at(node.outputs[0], graph_));
  const std::string low = node.name + "/low";
  const std::string high = node.name + "/high";
  add_initializer(quantize(Tensor::scalar(bounds.first), grid), low);
  add_initializer(quantize(Tensor::scalar(bounds.second), grid), high);
  add_node("Clip", node.name, {integers(node.inputs[0]), low, high},
           {integers_of(node.outputs[0])});
}

bool QdqWriter::on_one_grid(const Node& node) const {
  return std::ranges::all_of(node.inputs, [&](ValueId in) {
    const QuantParams* params = table_.find(in);
    const QuantParams& out = *table_.find(node.outputs[0]);
    return params && params->scale == out.scale && params->zero_point == out.zero_point;
  });
}

/// A node that moves values and fills in a number.
void QdqWriter::write_filled(const Node& node, size_t fill) {
  const ValueId out = node.outputs[0];
  const Tensor* given = graph_.constant_input(node, fill);
  const float number = given ? given->as<float>()[0] : 0.0F;
  const std::string fill_name = named(out, "/fill");
  add_initializer(quantize(Tensor::scalar(number), deployed(table_.at(out, graph_))), fill_name);
  std::vector<std::string> inputs;
  for (size_t i = 0; i < std::max(node.inputs.size(), fill + 1); ++i) {
    inputs.push_back(i == 0      ? integers(node.inputs[0])
                     : i == fill ? fill_name
                                 : reader(node.input(i)));
  }
  write_node(node, inputs, {integers_of(out)});
}

std::string QdqWriter::add_list(const std::string& list_name, const std::vector<int64_t>& numbers) {
  add_initializer(Tensor::vector(numbers), list_name);
  return list_name;
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

std::string QdqWriter::cast(const std::string& from, const std::string& to, int64_t type) {
  write_attribute("to", type, add_node("Cast", to, {from}, {to}));
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
  cast(node.name + "/wide", integers_of(node.outputs[0]), onnx::TensorProto::UINT8);
}

/// The node's data input, on another scale.
void QdqWriter::write_rescaled(const Node& node) {
  const ValueId source = graph_.is_constant(node.inputs[0]) ? node.inputs.at(1) : node.inputs[0];
  made_integers(node.outputs[0], integers(source));
}

std::string QdqWriter::reader(ValueId id) {
  if (id == kAbsent) return "";
  std::string& held = readers_[static_cast<size_t>(id)];
  if (!held.empty()) return held;
  if (table_.find(id)) {
    held = dequantized(id);
  } else {
    add_initializer(*graph_.value(id).constant, name(id));
    held = name(id);
  }
  return held;
}

const std::string& QdqWriter::integers(ValueId id) {
  std::string& held = quantized_[id];
  if (!held.empty()) return held;
  held = integers_of(id);
  add_initializer(quantize(*graph_.value(id).constant, deployed(table_.at(id, graph_))), held);
  return held;
}

void QdqWriter::round_trip(ValueId id, const std::string& real) {
  add_params(id);
  add_node("QuantizeLinear", named(id, "/quantize"),
           {real, named(id, "/scale"), named(id, "/zero_point")}, {integers_of(id)});
  made_integers(id);
}

std::string QdqWriter::dequantized(ValueId id) {
  add_params(id);
  const QuantParams& params = table_.at(id, graph_);
  std::string result = graph_.is_output(id) ? name(id) : named(id, "/dequantized");
  onnx::NodeProto& proto =
      add_node("DequantizeLinear", named(id, "/dequantize"),
               {integers(id), named(id, "/scale"), named(id, "/zero_point")}, {result});
  if (!params.per_tensor()) write_attribute("axis", int64_t{params.axis}, proto);
  return result;
}

void QdqWriter::add_params(ValueId id) {
  if (!params_written_.insert(id).second) return;
  const QuantParams params = deployed(table_.at(id, graph_));
  const Shape shape =
      params.per_tensor() ? Shape{} : Shape{static_cast<int64_t>(params.scale.size())};
  add_initializer(Tensor::of<float>(shape, params.scale), named(id, "/scale"));
  QuantParams whole{.type = params.type,
                    .low = params.low,
                    .high = params.high,
                    .scale = {1.0F},
                    .zero_point = {0}};
  const std::vector<float> numbers(params.zero_point.begin(), params.zero_point.end());
  add_initializer(quantize(Tensor::of<float>(shape, numbers), whole), named(id, "/zero_point"));
}

namespace {

/// Every operator stands between DequantizeLinear and QuantizeLinear.
class PlainQdqWriter final : public QdqWriter {
 public:
  PlainQdqWriter(const Graph& graph, const QuantTable& table)
      : QdqWriter(graph, table, When::AtOnce) {}

 private:
  bool write_operator(const Node& /*node*/) override { return false; }
};

}  // namespace

std::vector<std::byte> write_qdq(const Graph& graph, const QuantTable& table) {
  return PlainQdqWriter(graph, table).write();
}

}  // namespace octet
