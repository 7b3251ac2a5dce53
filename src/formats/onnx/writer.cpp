#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/fail.h"
#include "formats/onnx/onnx_file.h"
#include "formats/onnx/tensor_proto.h"
#include "graph/quantize_tensor.h"
#include "ops/op_def.h"

namespace octet {
namespace {

constexpr int64_t kIrVersion = 10;

void write_attribute(const std::string& name, const Attribute& attribute, onnx::NodeProto& node) {
  onnx::AttributeProto& proto = *node.add_attribute();
  proto.set_name(name);
  struct Writer {
    onnx::AttributeProto& proto;
    void operator()(int64_t held) const {
      proto.set_type(onnx::AttributeProto::INT);
      proto.set_i(held);
    }
    void operator()(float held) const {
      proto.set_type(onnx::AttributeProto::FLOAT);
      proto.set_f(held);
    }
    void operator()(const std::string& held) const {
      proto.set_type(onnx::AttributeProto::STRING);
      proto.set_s(held);
    }
    void operator()(const std::vector<int64_t>& held) const {
      proto.set_type(onnx::AttributeProto::INTS);
      for (const int64_t number : held) proto.add_ints(number);
    }
    void operator()(const std::vector<float>& held) const {
      proto.set_type(onnx::AttributeProto::FLOATS);
      for (const float number : held) proto.add_floats(number);
    }
    void operator()(const std::vector<std::string>& held) const {
      proto.set_type(onnx::AttributeProto::STRINGS);
      for (const std::string& text : held) proto.add_strings(text);
    }
    void operator()(const Tensor& held) const {
      proto.set_type(onnx::AttributeProto::TENSOR);
      write_tensor(held, "", *proto.mutable_t());
    }
  };
  std::visit(Writer{proto}, attribute);
}

void write_value_info(const Value& value, onnx::ValueInfoProto& proto) {
  proto.set_name(value.name);
  auto& type = *proto.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx_type(value.dtype));
  if (!value.shape_known) return;
  auto& shape = *type.mutable_shape();
  for (const int64_t dim : value.shape) {
    auto& entry = *shape.add_dim();
    if (dim < 0)
      entry.set_dim_param("N");
    else
      entry.set_dim_value(dim);
  }
}

std::vector<std::byte> serialize(const onnx::ModelProto& model) {
  std::vector<std::byte> bytes(model.ByteSizeLong());
  google::protobuf::io::ArrayOutputStream array(bytes.data(), static_cast<int>(bytes.size()));
  google::protobuf::io::CodedOutputStream coded(&array);
  coded.SetSerializationDeterministic(true);
  if (!model.SerializeToCodedStream(&coded)) {
    fail(Code::Unsupported, "the network is too large for one ONNX file (2 GiB)");
  }
  return bytes;
}

/// Writes a graph node by node; names are the graph's.
class OnnxWriter {
 public:
  explicit OnnxWriter(const Graph& graph) : graph_(graph), out_(*model_.mutable_graph()) {
    model_.set_ir_version(kIrVersion);
    model_.set_producer_name("octet");
    model_.add_opset_import()->set_version(kOpset);
    out_.set_name(graph.name);
  }

  std::vector<std::byte> write() {
    for (ValueId id : graph_.inputs()) write_value_info(graph_.value(id), *out_.add_input());
    for (ValueId id : graph_.outputs()) write_value_info(graph_.value(id), *out_.add_output());
    write_nodes();
    return serialize(model_);
  }

 protected:
  ~OnnxWriter() = default;
  virtual void write_nodes() = 0;

  const std::string& name(ValueId id) const {
    static const std::string none;
    return id == kAbsent ? none : graph_.value(id).name;
  }
  void add_initializer(const Tensor& tensor, const std::string& tensor_name) {
    write_tensor(tensor, tensor_name, *out_.add_initializer());
  }
  onnx::NodeProto& add_node(const std::string& op, const std::string& node_name,
                            const std::vector<std::string>& inputs,
                            const std::vector<std::string>& outputs) {
    onnx::NodeProto& proto = *out_.add_node();
    proto.set_op_type(op);
    proto.set_name(node_name);
    for (const auto& input : inputs) proto.add_input(input);
    for (const auto& output : outputs) proto.add_output(output);
    return proto;
  }
  void write_node(const Node& node, const std::vector<std::string>& inputs,
                  const std::vector<std::string>& outputs) {
    onnx::NodeProto& proto = add_node(node.op, node.name, inputs, outputs);
    for (const auto& [attribute, held] : node.attributes) write_attribute(attribute, held, proto);
  }

  const Graph& graph_;

 private:
  onnx::ModelProto model_;
  onnx::GraphProto& out_;
};

class FloatWriter final : public OnnxWriter {
 public:
  using OnnxWriter::OnnxWriter;

 private:
  void write_nodes() override {
    std::vector<bool> written(graph_.value_count(), false);
    for (NodeId id : graph_.order()) {
      const Node& node = graph_.node(id);
      std::vector<std::string> inputs;
      for (ValueId in : node.inputs) {
        inputs.push_back(name(in));
        if (!graph_.is_constant(in) || written[static_cast<size_t>(in)]) continue;
        written[static_cast<size_t>(in)] = true;
        add_initializer(*graph_.value(in).constant, name(in));
      }
      std::vector<std::string> outputs;
      for (ValueId out : node.outputs) outputs.push_back(name(out));
      write_node(node, inputs, outputs);
    }
  }
};

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
/// -> DequantizeLinear -> x/dequantized, which everybody reads. The last DequantizeLinear before a
/// graph output gives it its name.
class QdqWriter final : public OnnxWriter {
 public:
  QdqWriter(const Graph& graph, const QuantTable& table) : OnnxWriter(graph), table_(table) {}

 private:
  void write_nodes() override {
    readers_.resize(graph_.value_count());
    for (ValueId id : graph_.inputs()) {
      if (table_.find(id))
        round_trip(id, name(id));
      else
        readers_[static_cast<size_t>(id)] = name(id);
    }
    for (NodeId id : graph_.order()) write_one(graph_.node(id));
  }

  bool follows_source(const Node& node) const {
    const QuantParams* params = table_.find(node.outputs[0]);
    return params && params->origin == Origin::Derived;
  }

  void write_one(const Node& node) {
    if (follows_source(node)) return write_rescaled(node);
    const auto* moves = std::get_if<Moves>(&op_of(node).quant.value);
    if (moves && moves->fill > 0 && table_.find(node.outputs[0])) {
      return write_filled(node, moves->fill);
    }
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

  /// A node that moves values and fills in a number, on the integers themselves: between
  /// DequantizeLinear and QuantizeLinear ONNX Runtime would leave it in float.
  void write_filled(const Node& node, size_t fill) {
    const ValueId out = node.outputs[0];
    const Tensor* given = graph_.constant_input(node, fill);
    const float number = given ? given->as<float>()[0] : 0.0F;
    const std::string fill_name = name(out) + "/fill";
    add_initializer(quantize(Tensor::scalar(number), deployed(table_.at(out, graph_))), fill_name);
    std::vector<std::string> inputs;
    for (size_t i = 0; i < std::max(node.inputs.size(), fill + 1); ++i) {
      inputs.push_back(i == 0      ? quantized_.at(node.inputs[0])
                       : i == fill ? fill_name
                                   : reader(node.input(i)));
    }
    write_node(node, inputs, {name(out) + "/quantized"});
    dequantize_to(out, name(out) + "/quantized");
  }

  /// The node's data input, on another scale.
  void write_rescaled(const Node& node) {
    const ValueId source = graph_.is_constant(node.inputs[0]) ? node.inputs.at(1) : node.inputs[0];
    dequantize_to(node.outputs[0], quantized_.at(source));
  }

  /// What a node reads for a value; constants are written when first asked for.
  std::string reader(ValueId id) {
    if (id == kAbsent) return "";
    std::string& held = readers_[static_cast<size_t>(id)];
    if (!held.empty()) return held;
    const Tensor& constant = *graph_.value(id).constant;
    if (const QuantParams* params = table_.find(id)) {
      const QuantParams stored = deployed(*params);
      add_initializer(quantize(constant, stored), name(id) + "/quantized");
      dequantize_to(id, name(id) + "/quantized");
    } else {
      add_initializer(constant, name(id));
      held = name(id);
    }
    return held;
  }

  void round_trip(ValueId id, const std::string& real) {
    add_params(id);
    quantized_[id] = name(id) + "/quantized";
    add_node("QuantizeLinear", name(id) + "/quantize",
             {real, name(id) + "/scale", name(id) + "/zero_point"}, {quantized_[id]});
    dequantize_to(id, quantized_[id]);
  }

  void dequantize_to(ValueId id, const std::string& integers) {
    add_params(id);
    quantized_[id] = integers;
    const QuantParams& params = table_.at(id, graph_);
    std::string result = graph_.is_output(id) ? name(id) : name(id) + "/dequantized";
    onnx::NodeProto& proto =
        add_node("DequantizeLinear", name(id) + "/dequantize",
                 {integers, name(id) + "/scale", name(id) + "/zero_point"}, {result});
    if (!params.per_tensor()) write_attribute("axis", int64_t{params.axis}, proto);
    readers_[static_cast<size_t>(id)] = std::move(result);
  }

  void add_params(ValueId id) {
    if (!params_written_.insert(id).second) return;
    const QuantParams params = deployed(table_.at(id, graph_));
    const Shape shape =
        params.per_tensor() ? Shape{} : Shape{static_cast<int64_t>(params.scale.size())};
    add_initializer(Tensor::of<float>(shape, params.scale), name(id) + "/scale");
    QuantParams whole{.type = params.type,
                      .low = params.low,
                      .high = params.high,
                      .scale = {1.0F},
                      .zero_point = {0}};
    const std::vector<float> numbers(params.zero_point.begin(), params.zero_point.end());
    add_initializer(quantize(Tensor::of<float>(shape, numbers), whole), name(id) + "/zero_point");
  }

  const QuantTable& table_;
  std::vector<std::string> readers_;
  std::map<ValueId, std::string> quantized_;
  std::set<ValueId> params_written_;
};

}  // namespace

std::vector<std::byte> write_onnx(const Graph& graph) { return FloatWriter(graph).write(); }

std::vector<std::byte> write_onnx(const Graph& graph, const QuantTable& table) {
  return QdqWriter(graph, table).write();
}

}  // namespace octet
