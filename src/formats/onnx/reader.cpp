#include <onnx/checker.h>
#include <onnx/defs/schema.h>
#include <onnx/inliner/inliner.h>
#include <onnx/onnx_pb.h>
#include <onnx/version_converter/convert.h>

#include <algorithm>
#include <limits>
#include <map>

#include "base/fail.h"
#include "base/file.h"
#include "formats/onnx/onnx_file.h"
#include "formats/onnx/tensor_proto.h"

namespace octet {
namespace {

/// A message of onnx on one line, from what its assertions say on: the context that follows names
/// the node.
std::string reason_of(const std::exception& error) {
  std::string_view message = error.what();
  constexpr std::string_view kAssertion = "` failed: ";
  if (const size_t at = message.find(kAssertion); at != std::string_view::npos) {
    message.remove_prefix(at + kAssertion.size());
  }
  std::string line;
  for (const char letter : message) {
    const bool space = letter == ' ' || letter == '\n' || letter == '\r' || letter == '\t';
    if (!space)
      line += letter;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

int64_t default_opset(const onnx::ModelProto& model) {
  for (const auto& opset : model.opset_import()) {
    if (opset.domain().empty() || opset.domain() == "ai.onnx") return opset.version();
  }
  return 0;
}

onnx::ModelProto parse(const std::filesystem::path& path) {
  const auto bytes = read_file(path, Code::Model);
  onnx::ModelProto model;
  if (bytes.empty() || bytes.size() > std::numeric_limits<int>::max() ||
      !model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !model.has_graph() ||
      model.opset_import_size() == 0) {
    fail(Code::Model, "{} is not an ONNX file, or a truncated one", path.string());
  }
  return model;
}

/// Takes external data into the message: onnx's converter and checker do not know the folder.
void embed(onnx::TensorProto& tensor, const std::filesystem::path& folder) {
  if (tensor.data_location() != onnx::TensorProto::EXTERNAL) return;
  const std::string name = tensor.name();
  const Tensor held = read_tensor(tensor, folder);
  tensor.Clear();
  write_tensor(held, name, tensor);
}

void embed_external(onnx::GraphProto& graph, const std::filesystem::path& folder) {
  for (auto& tensor : *graph.mutable_initializer()) embed(tensor, folder);
  for (auto& node : *graph.mutable_node()) {
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.has_t()) embed(*attribute.mutable_t(), folder);
    }
  }
}

/// Brings the model to the canonical opset and lets onnx check it.
void normalize(onnx::ModelProto& model, const std::filesystem::path& path) {
  const int64_t newest =
      onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map().at("").second;
  if (const int64_t opset = default_opset(model); opset < 1 || opset > newest) {
    fail(Code::Unsupported, "{} is of opset {}; wanted 1 to {}", path.string(), opset, newest);
  }
  try {
    if (model.functions_size() > 0) onnx::inliner::InlineLocalFunctions(model, true);
    const int64_t opset = default_opset(model);
    if (opset != kOpset) {
      // The converter needs the initializers of old IR versions among the inputs, no more.
      onnx::ModelProto converted =
          onnx::version_conversion::ConvertVersion(model, static_cast<int>(kOpset));
      model = std::move(converted);
      // The initializers that it adds are no inputs, which IR versions below 4 forbid.
      model.set_ir_version(std::max<int64_t>(model.ir_version(), 4));
    }
  } catch (const std::exception& error) {
    fail(Code::Unsupported, "{} (opset {}) cannot be converted to opset {}: {}", path.string(),
         default_opset(model), kOpset, reason_of(error));
  }
}

void check(const onnx::ModelProto& model, const std::filesystem::path& path) {
  try {
    onnx::checker::check_model(model);
  } catch (const std::exception& error) {
    fail(Code::Model, "{} is not a well-formed ONNX network: {}", path.string(), reason_of(error));
  }
}

Attribute read_attribute(const onnx::AttributeProto& proto, const onnx::NodeProto& node,
                         const std::filesystem::path& folder) {
  switch (proto.type()) {
    case onnx::AttributeProto::INT: return proto.i();
    case onnx::AttributeProto::FLOAT: return proto.f();
    case onnx::AttributeProto::STRING: return proto.s();
    case onnx::AttributeProto::INTS:
      return std::vector<int64_t>(proto.ints().begin(), proto.ints().end());
    case onnx::AttributeProto::FLOATS:
      return std::vector<float>(proto.floats().begin(), proto.floats().end());
    case onnx::AttributeProto::STRINGS:
      return std::vector<std::string>(proto.strings().begin(), proto.strings().end());
    case onnx::AttributeProto::TENSOR: return read_tensor(proto.t(), folder);
    default:
      fail(Code::Unsupported,
           "node \"{}\" ({}): its attribute '{}' is of type {} (subgraphs are "
           "not supported)",
           node.name(), node.op_type(), proto.name(),
           onnx::AttributeProto::AttributeType_Name(proto.type()));
  }
}

/// The tensor that a Constant node stands for.
Tensor constant_of(const onnx::NodeProto& node, const std::filesystem::path& folder) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == "value") return read_tensor(attribute.t(), folder);
    if (attribute.name() == "value_float") return Tensor::scalar(attribute.f());
    if (attribute.name() == "value_int") {
      const int64_t number = attribute.i();
      return Tensor::of<int64_t>({}, std::span(&number, 1));
    }
    if (attribute.name() == "value_ints") {
      return Tensor::vector(std::vector<int64_t>(attribute.ints().begin(), attribute.ints().end()));
    }
    if (attribute.name() == "value_floats") {
      const std::vector<float> numbers(attribute.floats().begin(), attribute.floats().end());
      return Tensor::of<float>({static_cast<int64_t>(numbers.size())}, numbers);
    }
  }
  fail(Code::Unsupported, "node \"{}\" (Constant): its kind of value is not supported",
       node.name());
}

class GraphReader {
 public:
  GraphReader(const onnx::GraphProto& proto, std::filesystem::path folder)
      : proto_(proto), folder_(std::move(folder)) {}

  Graph read() {
    if (!proto_.name().empty()) graph_.name = proto_.name();
    if (proto_.sparse_initializer_size() > 0) {
      fail(Code::Unsupported, "the network has sparse initializers, which are not supported");
    }
    for (const auto& tensor : proto_.initializer()) {
      ids_[tensor.name()] = graph_.add_constant(tensor.name(), read_tensor(tensor, folder_));
    }
    for (const auto& input : proto_.input()) {
      if (!ids_.contains(input.name())) read_input(input);
    }
    for (const auto& node : proto_.node()) read_node(node);
    for (const auto& output : proto_.output()) graph_.add_output(value_of(output.name()));
    graph_.sort();
    return std::move(graph_);
  }

 private:
  ValueId value_of(const std::string& name) {
    if (name.empty()) return kAbsent;
    const auto [it, added] = ids_.try_emplace(name, kAbsent);
    if (added) it->second = graph_.add_value(name);
    return it->second;
  }

  void read_input(const onnx::ValueInfoProto& input) {
    if (!input.type().has_tensor_type()) {
      fail(Code::Unsupported, "the input '{}' is not a tensor", input.name());
    }
    const auto& type = input.type().tensor_type();
    Shape shape;
    for (const auto& dim : type.shape().dim()) {
      shape.push_back(dim.has_dim_value() ? dim.dim_value() : -1);
      if (dim.has_dim_value() && dim.dim_value() <= 0) {
        fail(Code::Model, "the input '{}' has a dimension of {}", input.name(), dim.dim_value());
      }
    }
    ids_[input.name()] =
        graph_.add_input(input.name(), dtype_from_onnx(type.elem_type()), std::move(shape));
  }

  void read_node(const onnx::NodeProto& proto) {
    if (!proto.domain().empty() && proto.domain() != "ai.onnx") {
      fail(Code::Unsupported, "node \"{}\" ({}.{}): operators of this domain are not supported",
           proto.name(), proto.domain(), proto.op_type());
    }
    if (proto.op_type() == "Constant") {
      ids_[proto.output(0)] = graph_.add_constant(proto.output(0), constant_of(proto, folder_));
      return;
    }
    Node node;
    node.name = proto.name().empty() ? proto.output(0) : proto.name();
    node.op = proto.op_type();
    for (const auto& name : proto.input()) node.inputs.push_back(value_of(name));
    for (const auto& name : proto.output()) node.outputs.push_back(value_of(name));
    while (!node.outputs.empty() && node.outputs.back() == kAbsent) node.outputs.pop_back();
    for (const auto& attribute : proto.attribute()) {
      node.attributes.emplace(attribute.name(), read_attribute(attribute, proto, folder_));
    }
    graph_.add_node(std::move(node));
  }

  const onnx::GraphProto& proto_;
  std::filesystem::path folder_;
  Graph graph_;
  std::map<std::string, ValueId> ids_;
};

}  // namespace

Graph read_onnx(const std::filesystem::path& path) {
  onnx::ModelProto model = parse(path);
  try {
    embed_external(*model.mutable_graph(), path.parent_path());
  } catch (const Error& error) {
    fail(error.code(), "{}: {}", path.string(), error.what());
  }
  check(model, path);  // the converter crashes on models that are not well formed
  normalize(model, path);
  check(model, path);
  try {
    return GraphReader(model.graph(), path.parent_path()).read();
  } catch (const Error& error) {
    fail(error.code(), "{}: {}", path.string(), error.what());
  }
}

}  // namespace octet
