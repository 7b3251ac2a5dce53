#include <algorithm>
#include <format>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "formats/onnx/graph_writer.h"
#include "graph/quantize_tensor.h"
#include "ops/op_def.h"

namespace octet {
namespace {

/// int8 parameters as ONNX Runtime wants them on x86: activations in uint8, everything moved by
/// 128. Weights (narrow, zero point 0) and biases stay as they are.
QuantParams deployed(const QuantParams& params) {
  if (params.type != DType::Int8 || params.low != -128) return params;
  QuantParams moved = params;
  moved.type = DType::UInt8;
  moved.low += 128;
  moved.high += 128;
  for (int32_t& zero_point : moved.zero_point) zero_point += 128;
  return moved;
}

/// QDQ form. A value `x` of the table becomes: x (float, as made) -> QuantizeLinear -> x/quantized
/// -> DequantizeLinear -> x/dequantized, where somebody reads it in float. The last
/// DequantizeLinear before a graph output gives it its name. Constants that are equal are one
/// initializer.
class QdqWriter final : public GraphWriter {
 public:
  QdqWriter(const Graph& graph, const QuantTable& table) : GraphWriter(graph), table_(table) {}

 private:
  void write_nodes() override {
    readers_.resize(graph_.value_count());
    for (ValueId id : graph_.inputs()) {
      if (table_.find(id))
        quantize_from(id, name(id));
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
    for (ValueId id : graph_.outputs()) reader(id);
    say_grids();
  }

  /// A table's result, or a value on another scale, that only tables and other scales read: without
  /// a DequantizeLinear, nothing in the file would say its grid.
  void say_grids() {
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

  std::string integers_of(ValueId out) const { return name(out) + "/quantized"; }

  /// The integers as indices into the table: source -> Cast -> Gather.
  void write_lookup(ValueId out, const Lookup& lookup) {
    const QuantParams stored = deployed(table_.at(out, graph_));
    const int32_t moved = stored.low - table_.at(out, graph_).low;
    Tensor entries(stored.type, {static_cast<int64_t>(lookup.entries.size())});
    std::ranges::transform(lookup.entries, entries.as<uint8_t>().begin(),
                           [&](int32_t q) { return static_cast<uint8_t>(q + moved); });
    const std::string table = share(entries, name(out) + "/table");
    const std::string source = integers(lookup.source);
    std::string& index = indices_[source];
    if (index.empty()) index = cast(source, name(out) + "/index", onnx::TensorProto::INT32);
    add_node("Gather", name(out) + "/look_up", {table, index}, {integers_of(out)});
    quantized_[out] = integers_of(out);
  }

  bool follows_source(const Node& node) const {
    const QuantParams* params = table_.find(node.outputs[0]);
    return params && params->origin == Origin::Derived;
  }

  void write_one(const Node& node) {
    if (follows_source(node)) return write_rescaled(node);
    if (write_on_integers(node)) return;
    std::vector<std::string> inputs;
    for (ValueId in : node.inputs) inputs.push_back(reader(in));
    std::vector<std::string> outputs;
    for (ValueId out : node.outputs) {
      const bool rounded = out != kAbsent && table_.find(out);
      outputs.push_back(rounded && graph_.is_output(out) ? name(out) + "/real" : name(out));
    }
    write_node(node, inputs, outputs);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const ValueId out = node.outputs[i];
      if (out == kAbsent) continue;
      if (table_.find(out))
        quantize_from(out, outputs[i]);
      else
        readers_[static_cast<size_t>(out)] = name(out);
    }
  }

  /// Operators on the integers themselves that ONNX Runtime would leave in float between
  /// DequantizeLinear and QuantizeLinear. False: the node is none of them.
  bool write_on_integers(const Node& node) {
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
    quantized_[out] = integers_of(out);
    return true;
  }

  const Absorbable* clip_on_one_grid(const Node& node) const {
    const auto* clip = std::get_if<Absorbable>(&op_of(node).quant.value);
    const QuantParams* in = clip ? table_.find(node.inputs[0]) : nullptr;
    const QuantParams& out = *table_.find(node.outputs[0]);
    const bool one = in && in->scale == out.scale && in->zero_point == out.zero_point;
    return one ? clip : nullptr;
  }

  void write_clip(const Node& node, std::pair<float, float> bounds) {
    const QuantParams grid = deployed(table_.at(node.outputs[0], graph_));
    const std::string low = share(quantize(Tensor::scalar(bounds.first), grid), node.name + "/low");
    const std::string high =
        share(quantize(Tensor::scalar(bounds.second), grid), node.name + "/high");
    add_node("Clip", node.name, {integers(node.inputs[0]), low, high},
             {integers_of(node.outputs[0])});
  }

  bool on_one_grid(const Node& node) const {
    return std::ranges::all_of(node.inputs, [&](ValueId in) {
      const QuantParams* params = table_.find(in);
      const QuantParams& out = *table_.find(node.outputs[0]);
      return params && params->scale == out.scale && params->zero_point == out.zero_point;
    });
  }

  /// A node that moves values and fills in a number.
  void write_filled(const Node& node, size_t fill) {
    const ValueId out = node.outputs[0];
    const Tensor* given = graph_.constant_input(node, fill);
    const float number = given ? given->as<float>()[0] : 0.0F;
    const std::string fill_name = share(
        quantize(Tensor::scalar(number), deployed(table_.at(out, graph_))), name(out) + "/fill");
    std::vector<std::string> inputs;
    for (size_t i = 0; i < std::max(node.inputs.size(), fill + 1); ++i) {
      inputs.push_back(i == 0      ? integers(node.inputs[0])
                       : i == fill ? fill_name
                                   : reader(node.input(i)));
    }
    write_node(node, inputs, {integers_of(out)});
  }

  std::string add_list(const std::string& list_name, const std::vector<int64_t>& numbers) {
    return share(Tensor::vector(numbers), list_name);
  }

  void write_global_max(const Node& node) {
    std::vector<int64_t> spatial;
    const size_t rank = graph_.value(node.inputs[0]).shape.size();
    for (size_t d = 2; d < rank; ++d) spatial.push_back(static_cast<int64_t>(d));
    add_node("ReduceMax", node.name,
             {integers(node.inputs[0]), add_list(node.name + "/axes", spatial)},
             {integers_of(node.outputs[0])});
  }

  /// Rows and columns in blocks, which go to the front of the channels.
  void write_space_to_depth(const Node& node) {
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

  std::string cast(const std::string& from, const std::string& to, int64_t type) {
    write_attribute("to", type, add_node("Cast", to, {from}, {to}));
    return to;
  }

  /// ONNX Runtime has Max and Min of 32 bits only.
  void write_extreme(const Node& node) {
    std::vector<std::string> wide;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      wide.push_back(cast(integers(node.inputs[i]), std::format("{}/wide {}", node.name, i),
                          onnx::TensorProto::INT32));
    }
    write_node(node, wide, {node.name + "/wide"});
    cast(node.name + "/wide", integers_of(node.outputs[0]), onnx::TensorProto::UINT8);
  }

  /// The node's data input, on another scale.
  void write_rescaled(const Node& node) {
    const ValueId source = graph_.is_constant(node.inputs[0]) ? node.inputs.at(1) : node.inputs[0];
    quantized_[node.outputs[0]] = integers(source);
  }

  /// What a node reads for a value; constants, and the real numbers of integers, are written when
  /// first asked for.
  std::string reader(ValueId id) {
    if (id == kAbsent) return "";
    std::string& held = readers_[static_cast<size_t>(id)];
    if (!held.empty()) return held;
    return held = table_.find(id) ? dequantized(id) : share(*graph_.value(id).constant, name(id));
  }

  /// The integers of a value, computed or constant.
  std::string integers(ValueId id) {
    std::string& held = quantized_[id];
    if (!held.empty()) return held;
    const QuantParams grid = deployed(table_.at(id, graph_));
    return held = share(quantize(*graph_.value(id).constant, grid), integers_of(id));
  }

  void quantize_from(ValueId id, const std::string& real) {
    const auto [scale, zero_point] = params_of(id);
    quantized_[id] = integers_of(id);
    add_node("QuantizeLinear", name(id) + "/quantize", {real, scale, zero_point}, {quantized_[id]});
  }

  std::string dequantized(ValueId id) {
    const std::string from = integers(id);
    const auto [scale, zero_point] = params_of(id);
    const std::string result = graph_.is_output(id) ? name(id) : name(id) + "/dequantized";
    onnx::NodeProto& proto =
        add_node("DequantizeLinear", name(id) + "/dequantize", {from, scale, zero_point}, {result});
    const QuantParams& params = table_.at(id, graph_);
    if (!params.per_tensor()) write_attribute("axis", int64_t{params.axis}, proto);
    return result;
  }

  /// The initializers of the scale and of the zero point.
  std::pair<std::string, std::string> params_of(ValueId id) {
    const QuantParams params = deployed(table_.at(id, graph_));
    const Shape shape =
        params.per_tensor() ? Shape{} : Shape{static_cast<int64_t>(params.scale.size())};
    QuantParams whole{.type = params.type,
                      .low = params.low,
                      .high = params.high,
                      .scale = {1.0F},
                      .zero_point = {0}};
    const std::vector<float> numbers(params.zero_point.begin(), params.zero_point.end());
    return {share(Tensor::of<float>(shape, params.scale), name(id) + "/scale"),
            share(quantize(Tensor::of<float>(shape, numbers), whole), name(id) + "/zero_point")};
  }

  const QuantTable& table_;
  std::vector<std::string> readers_;
  std::map<ValueId, std::string> quantized_;
  std::map<std::string, std::string> indices_;  ///< by the integers that tables look up
};

}  // namespace

std::vector<std::byte> write_qdq(const Graph& graph, const QuantTable& table) {
  return QdqWriter(graph, table).write();
}

}  // namespace octet
