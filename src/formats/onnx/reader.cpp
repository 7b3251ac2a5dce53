#include <onnx/checker.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <array>
#include <map>

#include "base/fail.h"
#include "formats/onnx/input_shape.h"
#include "formats/onnx/large_tensors.h"
#include "formats/onnx/model_file.h"
#include "formats/onnx/onnx_file.h"
#include "formats/onnx/opset.h"
#include "formats/onnx/tensor_proto.h"
#include "formats/onnx/wiring.h"

namespace octet {
namespace {

void check(const onnx::ModelProto& model, const std::filesystem::path& path) {
  try {
    onnx::checker::check_model(model);
  } catch (const std::exception& error) {
    fail(Code::Model, "{} is not a well-formed ONNX network: {}", path.string(), reason_of(error));
  }
}

/// The converter would forget the types of what is no tensor, and the checker complain of that and
/// of inputs without a shape.
void check_types(const onnx::GraphProto& graph) {
  const auto check = [](const onnx::ValueInfoProto& value, std::string_view kind) {
    if (value.type().has_tensor_type()) return;
    fail(Code::Unsupported, "the {} '{}' is not a tensor", kind, value.name());
  };
  for (const auto& input : graph.input()) check(input, "input");
  for (const auto& output : graph.output()) check(output, "output");
  for (const auto& input : graph.input()) {
    const auto& type = input.type().tensor_type();
    dtype_from_onnx(type.elem_type(), std::format("the input '{}'", input.name()));
    if (type.has_shape()) continue;
    fail(Code::Model, "the input '{}' has no shape; give it one, such as --shape {}=Nx3x224x224",
         input.name(), input.name());
  }
}

Attribute read_attribute(const onnx::AttributeProto& proto, const onnx::NodeProto& node,
                         LargeTensors& tensors) {
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
    case onnx::AttributeProto::TENSOR: return tensors.read(proto.t());
    default:
      fail(Code::Unsupported,
           "node \"{}\" ({}): its attribute '{}' is of type {} (subgraphs are "
           "not supported)",
           node.name(), node.op_type(), proto.name(),
           onnx::AttributeProto::AttributeType_Name(proto.type()));
  }
}

/// The tensor that a Constant node stands for.
Tensor constant_of(const onnx::NodeProto& node, LargeTensors& tensors) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.name() == "value") return tensors.read(attribute.t());
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

/// Which operators besides those of the default domain.
enum class Admit : uint8_t { None, Quantized };

class GraphReader {
 public:
  GraphReader(const onnx::GraphProto& proto, LargeTensors& tensors, Admit admit)
      : proto_(proto), tensors_(tensors), admit_(admit) {}

  Graph read() {
    if (!proto_.name().empty()) graph_.name = proto_.name();
    if (proto_.sparse_initializer_size() > 0) {
      fail(Code::Unsupported, "the network has sparse initializers, which are not supported");
    }
    for (const auto& tensor : proto_.initializer()) {
      ids_[tensor.name()] = graph_.add_constant(tensor.name(), tensors_.read(tensor));
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
    const auto& type = input.type().tensor_type();
    Shape shape;
    for (const auto& dim : type.shape().dim()) {
      shape.push_back(dim.has_dim_value() ? dim.dim_value() : -1);
      if (dim.has_dim_value() && dim.dim_value() < 0) {
        fail(Code::Model, "the input '{}' has a dimension of {}", input.name(), dim.dim_value());
      }
    }
    ids_[input.name()] =
        graph_.add_input(input.name(), dtype_from_onnx(type.elem_type()), std::move(shape));
  }

  /// ONNX Runtime's operators on integers; their names are in no other domain, but for
  /// QuantizeLinear and DequantizeLinear, which mean the same.
  bool admitted(const onnx::NodeProto& proto) const {
    constexpr std::array<std::string_view, 5> kOthers{"QGemm", "QuantizeLinear", "DequantizeLinear",
                                                      "DynamicQuantizeMatMul",
                                                      "MatMulIntegerToFloat"};
    const std::string& op = proto.op_type();
    return admit_ == Admit::Quantized && proto.domain() == "com.microsoft" &&
           (op.starts_with("QLinear") || std::ranges::contains(kOthers, std::string_view(op)));
  }

  void read_node(const onnx::NodeProto& proto) {
    if (!proto.domain().empty() && proto.domain() != "ai.onnx" && !admitted(proto)) {
      fail(Code::Unsupported, "node \"{}\" ({}.{}): operators of this domain are not supported",
           proto.name(), proto.domain(), proto.op_type());
    }
    if (proto.op_type() == "Constant") {
      ids_[proto.output(0)] = graph_.add_constant(proto.output(0), constant_of(proto, tensors_));
      return;
    }
    Node node;
    node.name = proto.name().empty() ? proto.output(0) : proto.name();
    node.op = proto.op_type();
    for (const auto& name : proto.input()) node.inputs.push_back(value_of(name));
    for (const auto& name : proto.output()) node.outputs.push_back(value_of(name));
    while (!node.outputs.empty() && node.outputs.back() == kAbsent) node.outputs.pop_back();
    for (const auto& attribute : proto.attribute()) {
      node.attributes.emplace(attribute.name(), read_attribute(attribute, proto, tensors_));
    }
    graph_.add_node(std::move(node));
  }

  const onnx::GraphProto& proto_;
  LargeTensors& tensors_;
  Admit admit_;
  Graph graph_;
  std::map<std::string, ValueId> ids_;
};

Graph read(const std::filesystem::path& path, std::span<const InputShape> shapes, Admit admit) {
  onnx::ModelProto model = parse_model(path);
  LargeTensors tensors;
  const auto in_file = [&](auto work) {
    try {
      return work();
    } catch (const Error& error) {
      fail(error.code(), "{}: {}", path.string(), reason_of(error));
    }
  };
  in_file([&] {
    set_input_shapes(*model.mutable_graph(), shapes);
    check_types(model.graph());
    check_wiring(*model.mutable_graph());
    tensors.take_out(model, path.parent_path());
  });
  check(model, path);  // the converter crashes on models that are not well formed
  bring_to_opset(model, path);
  check(model, path);
  return in_file([&] { return GraphReader(model.graph(), tensors, admit).read(); });
}

}  // namespace

Graph read_onnx(const std::filesystem::path& path) { return read_onnx(path, {}); }

Graph read_onnx(const std::filesystem::path& path, std::span<const InputShape> shapes) {
  return read(path, shapes, Admit::None);
}

Graph read_quantized_onnx(const std::filesystem::path& path, std::span<const InputShape> shapes) {
  return read(path, shapes, Admit::Quantized);
}

}  // namespace octet
