#include "formats/summary.h"

#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include <algorithm>
#include <format>
#include <map>

#include "base/fail.h"
#include "formats/onnx/model_file.h"
#include "formats/onnx/tensor_proto.h"

namespace octet {
namespace {

/// onnx (1.20, at least) infers the shape of Conv by reading beyond the dimensions of an input that
/// has fewer than the weight. Both are followed back through what only converts.
bool convolves_too_few_dimensions(const onnx::GraphProto& graph) {
  std::map<std::string, int> ranks;
  for (const auto& held : graph.initializer()) ranks[held.name()] = held.dims_size();
  for (const auto& info : graph.input()) {
    if (info.type().tensor_type().has_shape()) {
      ranks[info.name()] = info.type().tensor_type().shape().dim_size();
    }
  }
  for (const auto& node : graph.node()) {
    if (node.input_size() == 0 || node.output_size() == 0) continue;
    const auto rank = ranks.find(node.input(0));
    if (rank == ranks.end()) continue;
    if (node.op_type().ends_with("uantizeLinear")) ranks[node.output(0)] = rank->second;
    if (node.op_type() != "Conv" || node.input_size() < 2) continue;
    const auto weight = ranks.find(node.input(1));
    if (weight != ranks.end() && rank->second < weight->second) return true;
  }
  return false;
}

class Summarizer {
 public:
  explicit Summarizer(onnx::ModelProto model) : model_(std::move(model)) {
    try {
      // Inference crashes on models that are not well formed; the checker does not find external
      // data, and has to do without.
      const bool external = std::ranges::any_of(model_.graph().initializer(), [](const auto& held) {
        return held.data_location() == onnx::TensorProto::EXTERNAL;
      });
      if (!external) onnx::checker::check_model(model_);
      if (!convolves_too_few_dimensions(model_.graph())) {
        onnx::shape_inference::InferShapes(model_);
      }
    } catch (const std::exception&) {
      // Foreign domains have no shapes; operators and types are told all the same.
    }
    const onnx::GraphProto& graph = model_.graph();
    for (const auto* list : {&graph.input(), &graph.output(), &graph.value_info()}) {
      for (const auto& info : *list) note(info);
    }
    if (graph.input_size() > 0) {
      const Shape* images = shape_of(graph.input(0).name());
      if (images && !images->empty()) batch_ = std::max<int64_t>(images->front(), 1);
    }
    for (const auto& tensor : graph.initializer()) {
      types_[tensor.name()] = tensor.data_type();
      shapes_[tensor.name()] = Shape(tensor.dims().begin(), tensor.dims().end());
    }
  }

  FileSummary run() {
    FileSummary summary;
    std::map<std::string, int64_t> parameters;
    for (const auto& node : model_.graph().node()) {
      if (node.output_size() == 0) {
        fail(Code::Model, "node \"{}\" ({}) has no output", node.name(), node.op_type());
      }
      const int32_t type = output_type(node);
      for (const auto& output : node.output()) types_[output] = type;
      const std::string& name = node.name().empty() ? node.output(0) : node.name();
      summary.operators.push_back({node.op_type(), name, arithmetic(node, type)});
      summary.multiply_adds += multiply_adds(node);
      const bool converts = node.op_type().ends_with("uantizeLinear");
      for (const auto& input : node.input()) {
        if (is_initializer(input)) parameters[input] = element_count(shapes_[input]);
        if (converts) break;  // the rest are scale and zero point
      }
    }
    for (const auto& [name, count] : parameters) summary.parameters += count;
    return summary;
  }

 private:
  /// Products in integers of an activation that gets its grid as it comes.
  static bool quantizes_input(const std::string& op) {
    return op == "DynamicQuantizeMatMul" || op == "MatMulIntegerToFloat" || op == "MatMulInteger";
  }

  static std::string arithmetic(const onnx::NodeProto& node, int32_t type) {
    if (quantizes_input(node.op_type())) return "dynamic-int8";
    if (node.op_type() == "MatMulNBits") {
      for (const auto& attribute : node.attribute()) {
        if (attribute.name() == "bits") return std::format("int{}-weights", attribute.i());
      }
    }
    return std::string(name_of(dtype_from_onnx(type)));
  }

  void note(const onnx::ValueInfoProto& info) {
    const auto& type = info.type().tensor_type();
    types_[info.name()] = type.elem_type();
    if (!type.has_shape()) return;
    Shape shape;
    for (const auto& dim : type.shape().dim()) {
      shape.push_back(dim.has_dim_value() ? dim.dim_value() : 1);  // open dimensions: one image
    }
    shapes_[info.name()] = std::move(shape);
  }

  bool is_initializer(const std::string& name) const {
    return std::ranges::any_of(model_.graph().initializer(),
                               [&](const auto& tensor) { return tensor.name() == name; });
  }

  int32_t type_at(const onnx::NodeProto& node, int index) const {
    if (index >= node.input_size()) return onnx::TensorProto::FLOAT;
    const auto it = types_.find(node.input(index));
    return it == types_.end() ? int32_t{onnx::TensorProto::FLOAT} : it->second;
  }

  /// ONNX Runtime's integer operators put out the type of their first operand; where that is a
  /// scale, of their zero point.
  int32_t output_type(const onnx::NodeProto& node) const {
    const std::string& op = node.op_type();
    if (op == "DequantizeLinear") return type_at(node, 1);
    if (op == "QuantizeLinear") {
      return node.input_size() > 2 ? type_at(node, 2) : int32_t{onnx::TensorProto::UINT8};
    }
    if (op == "Constant" && node.attribute_size() > 0) return node.attribute(0).t().data_type();
    if (op == "Shape" || op == "Size") return onnx::TensorProto::INT64;
    if (op == "Cast") {
      for (const auto& attribute : node.attribute()) {
        if (attribute.name() == "to") return static_cast<int32_t>(attribute.i());
      }
    }
    if (op == "QLinearConcat") return type_at(node, 1);
    if (op == "QGemm" && node.input_size() < 9) return onnx::TensorProto::FLOAT;
    return type_at(node, 0);
  }

  const Shape* shape_of(const std::string& name) const {
    const auto it = shapes_.find(name);
    return it == shapes_.end() ? nullptr : &it->second;
  }

  int64_t multiply_adds(const onnx::NodeProto& node) const {
    if (node.input_size() < 2 || node.output_size() < 1) return 0;
    const Shape* a = shape_of(node.input(0));
    const Shape* b = shape_of(node.input(1));
    const Shape* out = shape_of(node.output(0));
    if (!a || !b || !out) return 0;
    if (node.op_type() == "Conv" && out->size() > 2) {
      return element_count(*b) * element_count(std::span(*out).subspan(2));
    }
    if (node.op_type() == "Gemm" && !out->empty() && out->back() > 0) {
      return of_one_image(*out) * (element_count(*b) / out->back());
    }
    if (node.op_type() == "MatMul" && !a->empty()) return of_one_image(*out) * a->back();
    return 0;
  }

  int64_t of_one_image(const Shape& shape) const {
    const bool batched = !shape.empty() && shape[0] % batch_ == 0;
    return element_count(shape) / (batched ? batch_ : 1);
  }

  onnx::ModelProto model_;
  std::map<std::string, int32_t> types_;
  std::map<std::string, Shape> shapes_;
  int64_t batch_ = 1;  ///< images that the file takes at a time
};

}  // namespace

FileSummary summarize_onnx(const std::filesystem::path& path) {
  onnx::ModelProto model = parse_model(path);
  try {
    return Summarizer(std::move(model)).run();
  } catch (const Error& error) {
    fail(error.code(), "{}: {}", path.string(), error.what());
  }
}

}  // namespace octet
