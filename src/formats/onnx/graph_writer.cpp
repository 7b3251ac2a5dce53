#include "formats/onnx/graph_writer.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/defs/schema.h>

#include <algorithm>
#include <functional>

#include "base/fail.h"
#include "formats/onnx/schemas.h"
#include "formats/onnx/tensor_proto.h"

namespace octet {
namespace {

constexpr int64_t kIrVersion = 10;

void write_value_info(const Value& value, DType dtype, onnx::ValueInfoProto& proto) {
  proto.set_name(value.name);
  auto& type = *proto.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx_type(dtype));
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

/// `kOpset`, or the first one that has all of the operators: a few are newer.
int64_t opset_for(const Graph& graph) {
  int64_t opset = kOpset;
  for (const NodeId id : graph.order()) {
    const std::string& op = graph.node(id).op;
    if (onnx::OpSchemaRegistry::Schema(op, static_cast<int>(kOpset))) continue;
    const auto* newest = onnx::OpSchemaRegistry::Schema(op);
    if (newest) opset = std::max<int64_t>(opset, newest->SinceVersion());
  }
  return opset;
}

}  // namespace

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

GraphWriter::GraphWriter(const Graph& graph) : graph_(graph), out_(*model_.mutable_graph()) {
  model_.set_ir_version(kIrVersion);
  model_.set_producer_name("octet");
  model_.add_opset_import()->set_version(opset_for(graph));
  out_.set_name(graph.name);
}

void GraphWriter::add_properties(const Properties& properties) {
  for (const auto& [key, text] : properties) {
    auto& entry = *model_.add_metadata_props();
    entry.set_key(key);
    entry.set_value(text);
  }
}

std::vector<std::byte> GraphWriter::write() {
  for (ValueId id : graph_.inputs()) {
    write_value_info(graph_.value(id), end_type(id), *out_.add_input());
  }
  for (ValueId id : graph_.outputs()) {
    write_value_info(graph_.value(id), end_type(id), *out_.add_output());
  }
  write_nodes();
  return serialize(model_);
}

const std::string& GraphWriter::name(ValueId id) const {
  static const std::string none;
  return id == kAbsent ? none : graph_.value(id).name;
}

void GraphWriter::add_metadata(const std::string& key, const std::string& text) {
  onnx::StringStringEntryProto& entry = *model_.add_metadata_props();
  entry.set_key(key);
  entry.set_value(text);
}

void GraphWriter::add_initializer(const Tensor& tensor, const std::string& tensor_name) {
  write_tensor(tensor, tensor_name, *out_.add_initializer());
}

void GraphWriter::add_value_info(const Value& value) {
  write_value_info(value, value.dtype, *out_.add_value_info());
}

std::string GraphWriter::share(const Tensor& tensor, const std::string& tensor_name) {
  const std::string_view data(reinterpret_cast<const char*>(tensor.bytes.data()),
                              tensor.bytes.size());
  const size_t hash = std::hash<std::string_view>{}(data);
  const auto [first, last] = shared_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    const onnx::TensorProto& held = out_.initializer(it->second);
    if (held.raw_data() == data && held.data_type() == onnx_type(tensor.dtype) &&
        std::ranges::equal(held.dims(), tensor.shape)) {
      return held.name();
    }
  }
  shared_.emplace(hash, out_.initializer_size());
  add_initializer(tensor, tensor_name);
  return tensor_name;
}

onnx::NodeProto& GraphWriter::add_node(const std::string& op, const std::string& node_name,
                                       const std::vector<std::string>& inputs,
                                       const std::vector<std::string>& outputs) {
  onnx::NodeProto& proto = *out_.add_node();
  proto.set_op_type(op);
  proto.set_name(node_name);
  for (const auto& input : inputs) proto.add_input(input);
  for (const auto& output : outputs) proto.add_output(output);
  return proto;
}

onnx::NodeProto& GraphWriter::add_node_of(const std::string& domain, const std::string& op,
                                          const std::string& node_name,
                                          const std::vector<std::string>& inputs,
                                          const std::vector<std::string>& outputs) {
  const auto known = [&](const onnx::OperatorSetIdProto& opset) {
    return opset.domain() == domain;
  };
  if (std::ranges::none_of(model_.opset_import(), known)) {
    onnx::OperatorSetIdProto& opset = *model_.add_opset_import();
    opset.set_domain(domain);
    opset.set_version(1);
  }
  onnx::NodeProto& proto = add_node(op, node_name, inputs, outputs);
  proto.set_domain(domain);
  return proto;
}

void GraphWriter::write_node(const Node& node, const std::vector<std::string>& inputs,
                             const std::vector<std::string>& outputs) {
  onnx::NodeProto& proto = add_node(node.op, node.name, inputs, outputs);
  for (const auto& [attribute, held] : node.attributes) write_attribute(attribute, held, proto);
}

}  // namespace octet
