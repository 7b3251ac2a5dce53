#include <algorithm>
#include <format>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "formats/onnx/graph_writer.h"
#include "graph/quantize_tensor.h"
#include "ops/op_def.h"

namespace octet {
namespace {

/// QDQ form. A value `x` of the table becomes: x (float, as made) -> QuantizeLinear -> x/quantized
/// -> DequantizeLinear -> x/dequantized, which everybody reads. The last DequantizeLinear before a
/// graph output gives it its name.
class QdqWriter final : public GraphWriter {
 public:
  QdqWriter(const Graph& graph, const QuantTable& table, const FileForm& form)
      : GraphWriter(graph), table_(table), form_(form) {}

 private:
  /// The parameters as the file holds them.
  QuantParams stored(const QuantParams& params) const {
    return form_.unsigned_activations ? moved_to_unsigned(params) : params;
  }
  /// The parameters of a graph input or output that holds integers; nullopt for real numbers.
  std::optional<QuantParams> end(ValueId id) const {
    const QuantParams* params = form_.io == Io::Float ? nullptr : table_.find(id);
    return params ? std::optional(end_grid(*params, form_.io)) : std::nullopt;
  }
  DType end_type(ValueId id) const override {
    const auto params = end(id);
    return params ? params->type : graph_.value(id).dtype;
  }
  /// The end holds the very integers that are stored inside.
  bool is_stored(const QuantParams& end, ValueId id) const {
    return end.type == stored(table_.at(id, graph_)).type;
  }

  void write_input(ValueId id) {
    const auto integers = end(id);
    if (!integers) {
      if (table_.find(id)) return round_trip(id, name(id));
      readers_[static_cast<size_t>(id)] = name(id);
      return;
    }
    note_grid(id, *integers);
    if (is_stored(*integers, id)) return dequantize_to(id, name(id));
    convert_end("DequantizeLinear", *integers, {name(id), name(id) + "/real"}, name(id) + "/end");
    round_trip(id, name(id) + "/real");
  }

  void write_output(ValueId id) {
    const auto params = end(id);
    if (!params) return;
    note_grid(id, *params);
    const std::string node = name(id) + "/end";
    if (!is_stored(*params, id)) {
      convert_end("QuantizeLinear", *params, {reader(id), name(id)}, node);
    } else if (integers(id) != name(id)) {
      add_node("Identity", node, {integers(id)}, {name(id)});
    }
  }

  void convert_end(const std::string& op, const QuantParams& grid,
                   const std::pair<std::string, std::string>& from_to, const std::string& node) {
    add_grid(node, grid);
    add_node(op, node, {from_to.first, node + "/scale", node + "/zero_point"}, {from_to.second});
  }

  /// The integers of an output that nobody else reads.
  bool ends_here(ValueId id) const {
    const auto params = graph_.is_output(id) ? end(id) : std::nullopt;
    return params && is_stored(*params, id) && graph_.users(id).empty();
  }

  void note_grid(ValueId id, const QuantParams& params) {
    add_metadata("octet.grid:" + name(id),
                 std::format("{} {}", params.scale[0], params.zero_point[0]));
  }

  void write_nodes() override {
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
  }

  std::string integers_of(ValueId out) const {
    const auto params = graph_.is_output(out) ? end(out) : std::nullopt;
    return params && is_stored(*params, out) ? name(out) : name(out) + "/quantized";
  }

  /// The integers as indices into the table: source -> Cast -> Gather.
  void write_lookup(ValueId out, const Lookup& lookup) {
    const QuantParams grid = stored(table_.at(out, graph_));
    const int32_t moved = grid.low - table_.at(out, graph_).low;
    Tensor entries(grid.type, {static_cast<int64_t>(lookup.entries.size())});
    std::ranges::transform(lookup.entries, entries.bytes.begin(),
                           [&](int32_t q) { return static_cast<std::byte>(q + moved); });
    // Gather counts from the end where an index is below zero.
    if (grid.low < 0) std::ranges::rotate(entries.bytes, entries.bytes.begin() - grid.low);
    add_initializer(entries, name(out) + "/table");
    onnx::NodeProto& cast =
        add_node("Cast", name(out) + "/index", {integers(lookup.source)}, {name(out) + "/index"});
    write_attribute("to", int64_t{onnx::TensorProto::INT32}, cast);
    add_node("Gather", name(out) + "/look_up", {name(out) + "/table", name(out) + "/index"},
             {integers_of(out)});
    dequantize_to(out, integers_of(out));
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
        round_trip(out, outputs[i]);
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
    dequantize_to(out, integers_of(out));
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
    const QuantParams grid = stored(table_.at(node.outputs[0], graph_));
    const std::string low = node.name + "/low";
    const std::string high = node.name + "/high";
    add_initializer(quantize(Tensor::scalar(bounds.first), grid), low);
    add_initializer(quantize(Tensor::scalar(bounds.second), grid), high);
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
    const std::string fill_name = name(out) + "/fill";
    add_initializer(quantize(Tensor::scalar(number), stored(table_.at(out, graph_))), fill_name);
    std::vector<std::string> inputs;
    for (size_t i = 0; i < std::max(node.inputs.size(), fill + 1); ++i) {
      inputs.push_back(i == 0      ? integers(node.inputs[0])
                       : i == fill ? fill_name
                                   : reader(node.input(i)));
    }
    write_node(node, inputs, {integers_of(out)});
  }

  std::string add_list(const std::string& list_name, const std::vector<int64_t>& numbers) {
    add_initializer(Tensor::vector(numbers), list_name);
    return list_name;
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
    write_attribute("to", type, add_node("Cast", to + "/cast", {from}, {to}));
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
    cast(node.name + "/wide", integers_of(node.outputs[0]),
         form_.unsigned_activations ? onnx::TensorProto::UINT8 : onnx::TensorProto::INT8);
  }

  /// The node's data input, on another scale.
  void write_rescaled(const Node& node) {
    const ValueId source = graph_.is_constant(node.inputs[0]) ? node.inputs.at(1) : node.inputs[0];
    dequantize_to(node.outputs[0], integers(source));
  }

  /// What a node reads for a value; constants are written when first asked for.
  std::string reader(ValueId id) {
    if (id == kAbsent) return "";
    std::string& held = readers_[static_cast<size_t>(id)];
    if (!held.empty()) return held;
    const Tensor& constant = *graph_.value(id).constant;
    if (table_.find(id)) {
      dequantize_to(id, integers(id));
    } else {
      add_initializer(constant, name(id));
      held = name(id);
    }
    return held;
  }

  /// The integers of a value, computed or constant.
  const std::string& integers(ValueId id) {
    std::string& held = quantized_[id];
    if (!held.empty()) return held;
    held = integers_of(id);
    add_initializer(quantize(*graph_.value(id).constant, stored(table_.at(id, graph_))), held);
    return held;
  }

  void round_trip(ValueId id, const std::string& real) {
    add_params(id);
    quantized_[id] = integers_of(id);
    add_node("QuantizeLinear", name(id) + "/quantize",
             {real, name(id) + "/scale", name(id) + "/zero_point"}, {quantized_[id]});
    dequantize_to(id, quantized_[id]);
  }

  void dequantize_to(ValueId id, const std::string& integers) {
    quantized_[id] = integers;
    if (ends_here(id)) return;
    add_params(id);
    const QuantParams& params = table_.at(id, graph_);
    const bool last = graph_.is_output(id) && !end(id);
    std::string result = last ? name(id) : name(id) + "/dequantized";
    onnx::NodeProto& proto =
        add_node("DequantizeLinear", name(id) + "/dequantize",
                 {integers, name(id) + "/scale", name(id) + "/zero_point"}, {result});
    if (!params.per_tensor()) write_attribute("axis", int64_t{params.axis}, proto);
    readers_[static_cast<size_t>(id)] = std::move(result);
  }

  void add_params(ValueId id) {
    if (!params_written_.insert(id).second) return;
    add_grid(name(id), stored(table_.at(id, graph_)));
  }

  /// The initializers PREFIX/scale and PREFIX/zero_point.
  void add_grid(const std::string& prefix, const QuantParams& params) {
    const Shape shape =
        params.per_tensor() ? Shape{} : Shape{static_cast<int64_t>(params.scale.size())};
    add_initializer(Tensor::of<float>(shape, params.scale), prefix + "/scale");
    QuantParams whole{.type = params.type,
                      .low = params.low,
                      .high = params.high,
                      .scale = {1.0F},
                      .zero_point = {0}};
    const std::vector<float> numbers(params.zero_point.begin(), params.zero_point.end());
    add_initializer(quantize(Tensor::of<float>(shape, numbers), whole), prefix + "/zero_point");
  }

  const QuantTable& table_;
  FileForm form_;
  std::vector<std::string> readers_;
  std::map<ValueId, std::string> quantized_;
  std::set<ValueId> params_written_;
};

}  // namespace

std::vector<std::byte> write_qdq(const Graph& graph, const QuantTable& table,
                                 const FileForm& form) {
  return QdqWriter(graph, table, form).write();
}

}  // namespace octet
