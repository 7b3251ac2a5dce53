#include <onnx/onnx_pb.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/fail.h"
#include "base/text.h"
#include "formats/onnx/model_file.h"
#include "formats/onnx/tensor_proto.h"
#include "formats/stored/stored_tensors.h"

namespace octet {
namespace {

/// What octet and ONNX Runtime's quantizer append to a value's name.
constexpr std::array<std::string_view, 5> kSuffixes{"/dequantized", "/quantized",
                                                    "_DequantizeLinear_Output",
                                                    "_QuantizeLinear_Output", "_quantized"};

std::string value_name(std::string name) {
  for (const std::string_view suffix : kSuffixes) {
    if (name.ends_with(suffix)) return name.substr(0, name.size() - suffix.size());
  }
  return name;
}

bool quantizes(const onnx::NodeProto& node) { return node.op_type() == "QuantizeLinear"; }
bool dequantizes(const onnx::NodeProto& node) { return node.op_type() == "DequantizeLinear"; }

/// Between the integers inside and others at an end of the file.
bool ends_file(const onnx::NodeProto& node) {
  const std::string& name = node.name();
  return (quantizes(node) || dequantizes(node)) &&
         std::string_view(name).substr(0, name.find_last_not_of('_') + 1).ends_with("/end");
}

class StoredReader {
 public:
  explicit StoredReader(const std::filesystem::path& path)
      : path_(path), model_(parse_model(path)), file_{path, "ONNX", {}, {}} {
    for (const auto& tensor : graph().initializer()) constants_[tensor.name()] = &tensor;
    for (const auto& node : graph().node()) {
      for (const auto& output : node.output()) makers_[output] = &node;
      for (const auto& input : node.input()) readers_[input].push_back(&node);
      if (node.op_type() != "Constant" || node.output_size() != 1) continue;
      for (const auto& attribute : node.attribute()) {
        if (attribute.has_t()) constants_[node.output(0)] = &attribute.t();
      }
    }
    for (const auto& held : model_.metadata_props()) {
      file_.properties[held.key()] = held.value();
    }
  }

  StoredFile run() {
    for (const auto& node : graph().node()) {
      if (node.op_type().starts_with("QLinear") || node.op_type() == "QGemm") {
        fail(Code::Unsupported,
             "{}: node \"{}\" ({}): the file is in QOperator form; wanted QDQ form, which 'octet "
             "convert' makes of it",
             path_.string(), node.name(), node.op_type());
      }
      if (ends_file(node)) continue;
      if (dequantizes(node) || (quantizes(node) && !dequantized(node))) add_grid(node);
    }
    if (file_.tensors.empty()) {
      fail(Code::Model,
           "{} has no QuantizeLinear and no DequantizeLinear; wanted an INT8 file, as 'octet "
           "quantize' writes one",
           path_.string());
    }
    for (const auto& node : graph().node()) add_integers(node);
    for (const auto& tensor : graph().initializer()) add_rest(tensor);
    return std::move(file_);
  }

 private:
  const onnx::GraphProto& graph() const { return model_.graph(); }

  bool dequantized(const onnx::NodeProto& node) const {
    const auto it = node.output_size() > 0 ? readers_.find(node.output(0)) : readers_.end();
    return it != readers_.end() &&
           std::ranges::any_of(it->second, [](const auto* reader) { return dequantizes(*reader); });
  }

  const onnx::TensorProto* constant(const std::string& name) const {
    const auto it = constants_.find(name);
    return it == constants_.end() ? nullptr : it->second;
  }
  const onnx::NodeProto* maker(const std::string& name) const {
    const auto it = makers_.find(name);
    return it == makers_.end() || it->second->op_type() == "Constant" ? nullptr : it->second;
  }

  Tensor load(const onnx::TensorProto& proto) const {
    return read_tensor(proto, path_.parent_path());
  }

  /// A scale or a zero point of the node.
  Tensor parameter(const onnx::NodeProto& node, int index, const std::string& what) {
    const std::string& name = node.input(index);
    taken_.insert(name);
    const onnx::TensorProto* proto = constant(name);
    if (!proto) {
      fail(Code::Model, "{}: {} is computed by the network; wanted a constant", path_.string(),
           what);
    }
    return load(*proto);
  }

  void add_grid(const onnx::NodeProto& node) {
    if (node.input_size() < 2 || node.output_size() != 1) {
      fail(Code::Model, "{}: node \"{}\" ({}) has {} inputs and {} outputs; wanted 2 or 3, and 1",
           path_.string(), node.name(), node.op_type(), node.input_size(), node.output_size());
    }
    StoredTensor tensor{.name = value_name(node.output(0))};
    if (file_.find(tensor.name)) return;  // dequantized for several readers
    read_constant(node, tensor);
    read_parameters(node, tensor);
    const std::string& integers = dequantizes(node) ? node.input(0) : node.output(0);
    read_origin(integers, tensor);
    note_readers(node.output(0), tensor);
    make_signed(tensor);
    file_.tensors.push_back(std::move(tensor));
  }

  void read_constant(const onnx::NodeProto& node, StoredTensor& tensor) {
    const onnx::TensorProto* proto = dequantizes(node) ? constant(node.input(0)) : nullptr;
    if (!proto) return;
    taken_.insert(node.input(0));
    tensor.constant = load(*proto);
  }

  void read_parameters(const onnx::NodeProto& node, StoredTensor& tensor) {
    const Tensor scale = parameter(node, 1, std::format("the scale of '{}'", tensor.name));
    if (scale.dtype != DType::Float32 || scale.shape.size() > 1) {
      fail(Code::Model, "{}: the scale of '{}' is {}[{}]; wanted one float32 number, or a vector",
           path_.string(), tensor.name, name_of(scale.dtype), shape_text(scale.shape));
    }
    tensor.scale.assign(scale.as<float>().begin(), scale.as<float>().end());
    std::vector<int64_t> zeros(tensor.scale.size(), 0);
    tensor.type = tensor.constant ? tensor.constant->dtype : DType::UInt8;
    if (node.input_size() > 2 && !node.input(2).empty()) read_zero_points(node, tensor, zeros);
    check_grid(tensor, zeros, path_);
    tensor.zero_point.assign(zeros.begin(), zeros.end());
    if (tensor.scale.size() > 1) tensor.axis = axis_of(node, tensor);
  }

  void read_zero_points(const onnx::NodeProto& node, StoredTensor& tensor,
                        std::vector<int64_t>& zeros) {
    const Tensor held = parameter(node, 2, std::format("the zero point of '{}'", tensor.name));
    if (tensor.constant && tensor.constant->dtype != held.dtype) {
      fail(Code::Model, "{}: the zero point of '{}' is {} and its integers are {}; wanted one type",
           path_.string(), tensor.name, name_of(held.dtype), name_of(tensor.constant->dtype));
    }
    tensor.type = held.dtype;
    const auto copy = [&]<class T>(T) { zeros.assign(held.as<T>().begin(), held.as<T>().end()); };
    switch (held.dtype) {
      case DType::Int8: return copy(int8_t{});
      case DType::UInt8: return copy(uint8_t{});
      case DType::Int16: return copy(int16_t{});
      case DType::UInt16: return copy(uint16_t{});
      case DType::Int32: return copy(int32_t{});
      default:
        fail(Code::Model, "{}: the zero point of '{}' is {}; wanted an integer of at most 32 bits",
             path_.string(), tensor.name, name_of(held.dtype));
    }
  }

  int axis_of(const onnx::NodeProto& node, const StoredTensor& tensor) const {
    int64_t axis = 1;
    for (const auto& attribute : node.attribute()) {
      if (attribute.name() == "axis") axis = attribute.i();
    }
    if (!tensor.constant) return static_cast<int>(axis);
    const auto rank = static_cast<int64_t>(tensor.constant->shape.size());
    if (axis < 0) axis += rank;
    const auto count = static_cast<int64_t>(tensor.scale.size());
    if (axis < 0 || axis >= rank || tensor.constant->shape[static_cast<size_t>(axis)] != count) {
      fail(Code::Model, "{}: '{}' is {} and has {} scales along axis {}; wanted one for each index",
           path_.string(), tensor.name, shape_text(tensor.constant->shape), count, axis);
    }
    return static_cast<int>(axis);
  }

  /// What computes the integers: the node before QuantizeLinear, or one on integers.
  void read_origin(const std::string& integers, StoredTensor& tensor) {
    const onnx::NodeProto* node = maker(integers);
    if (node && quantizes(*node)) node = maker(node->input(0));
    if (!node) return;
    tensor.made_by = node->op_type();
    // A table's row is brought back into shape.
    if (node->op_type() == "Reshape" && maker(node->input(0))) node = maker(node->input(0));
    if (node->op_type() == "Gather" || node->op_type() == "GatherElements") {
      tensor.made_by = node->op_type();
      read_table(*node, tensor);
    }
  }

  /// Integers as indices (Cast) into a table of integers.
  void read_table(const onnx::NodeProto& gather, StoredTensor& tensor) {
    const onnx::NodeProto* index = gather.input_size() > 1 ? maker(gather.input(1)) : nullptr;
    const onnx::TensorProto* proto = constant(gather.input(0));
    if (!index || index->op_type() != "Cast" || !proto) return;
    const Tensor held = load(*proto);
    if (held.shape.size() != 1) return;
    taken_.insert(gather.input(0));
    if (held.dtype == DType::UInt8) {
      tensor.table.assign(held.as<uint8_t>().begin(), held.as<uint8_t>().end());
    } else if (held.dtype == DType::Int8) {
      // Indices below zero count from the end: the lower half stands behind the upper one.
      tensor.table.assign(held.as<int8_t>().begin(), held.as<int8_t>().end());
      std::ranges::rotate(tensor.table, tensor.table.begin() + std::ssize(tensor.table) / 2);
    }
  }

  void note_readers(const std::string& name, StoredTensor& tensor) const {
    const auto it = readers_.find(name);
    if (it == readers_.end()) return;
    for (const onnx::NodeProto* reader : it->second) tensor.read_by.push_back(reader->op_type());
  }

  /// A value that only operators on integers make and read. They keep the grid of what they read.
  void add_integers(const onnx::NodeProto& node) {
    for (const std::string& output : node.output()) {
      const std::string name = value_name(output);
      if (quantizes(node) || dequantizes(node) || name == output || file_.find(name)) continue;
      StoredTensor tensor{.name = name, .type = DType::UInt8};
      read_origin(output, tensor);
      note_readers(output, tensor);
      make_signed(tensor);
      if (tensor.table.empty()) take_grid_before(node, tensor);
      file_.tensors.push_back(std::move(tensor));
    }
  }

  void take_grid_before(const onnx::NodeProto& node, StoredTensor& tensor) const {
    const onnx::NodeProto* before = &node;
    while (before && before->input_size() > 0) {
      const StoredTensor* source = file_.find(value_name(before->input(0)));
      if (source && !source->scale.empty()) {
        tensor.scale = source->scale;
        tensor.zero_point = source->zero_point;
        return;
      }
      before = maker(before->input(0));
    }
  }

  /// Constants of operators on integers, whose grid is that of the result, and real ones.
  void add_rest(const onnx::TensorProto& proto) {
    if (taken_.contains(proto.name())) return;
    const bool real = proto.data_type() == onnx::TensorProto::FLOAT;
    const std::string name = value_name(proto.name());
    if ((!real && name == proto.name()) || file_.find(name)) return;
    StoredTensor tensor{.name = name, .type = dtype_from_onnx(proto.data_type())};
    tensor.constant = load(proto);
    note_readers(proto.name(), tensor);
    make_signed(tensor);
    file_.tensors.push_back(std::move(tensor));
  }

  const std::filesystem::path& path_;
  onnx::ModelProto model_;
  StoredFile file_;
  std::map<std::string, const onnx::TensorProto*> constants_;
  std::map<std::string, const onnx::NodeProto*> makers_;
  std::map<std::string, std::vector<const onnx::NodeProto*>> readers_;
  std::set<std::string> taken_;  ///< initializers whose meaning is known
};

}  // namespace

StoredFile read_stored_onnx(const std::filesystem::path& path) {
  try {
    return StoredReader(path).run();
  } catch (const Error& error) {
    const std::string what = error.what();
    if (what.contains(path.string())) throw;  // names the file already
    fail(error.code(), "{}: {}", path.string(), what);
  }
}

}  // namespace octet
