#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "base/text.h"
#include "formats/stored/stored_tensors.h"
#include "formats/tflite/layout.h"
#include "formats/tflite/model_file.h"

namespace octet {
namespace {

using lite::at;

std::optional<DType> dtype_of_lite(tflite::TensorType type) {
  switch (type) {
    case tflite::TensorType_INT8:
    case tflite::TensorType_INT4: return DType::Int8;
    case tflite::TensorType_UINT8: return DType::UInt8;
    case tflite::TensorType_INT16: return DType::Int16;
    case tflite::TensorType_INT32: return DType::Int32;
    case tflite::TensorType_INT64: return DType::Int64;
    case tflite::TensorType_FLOAT32: return DType::Float32;
    default: return std::nullopt;
  }
}

/// How a constant lies, by the operator that reads it.
struct Role {
  StoredLayout layout = StoredLayout::Operand;
  std::vector<int64_t> to_graph;  ///< permutation; empty: none
};

Role role_of(tflite::BuiltinOperator code, size_t input) {
  if (input == 1) {
    switch (code) {
      case tflite::BuiltinOperator_CONV_2D: return {StoredLayout::Graph, {0, 3, 1, 2}};
      case tflite::BuiltinOperator_DEPTHWISE_CONV_2D: return {StoredLayout::Graph, {3, 0, 1, 2}};
      case tflite::BuiltinOperator_TRANSPOSE_CONV: return {StoredLayout::Graph, {3, 0, 1, 2}};
      case tflite::BuiltinOperator_FULLY_CONNECTED: return {StoredLayout::Matrix, {}};
      default: break;
    }
  }
  return {};
}

class StoredReader {
 public:
  explicit StoredReader(const std::filesystem::path& path)
      : path_(path), lite_(path), file_{path, "TFLite", {}, {}} {}

  StoredFile run() {
    read_properties();
    const auto* ops = lite_.graph().operators();
    for (size_t i = 0; ops && i < ops->size(); ++i) note(*ops->Get(static_cast<uint32_t>(i)));
    const auto* tensors = lite_.graph().tensors();
    for (size_t i = 0; tensors && i < tensors->size(); ++i) add(static_cast<int32_t>(i));
    if (std::ranges::none_of(file_.tensors, &StoredTensor::quantized)) {
      fail(Code::Model,
           "{} has no tensor with a scale; wanted an INT8 file, as 'octet quantize' writes one",
           path_.string());
    }
    return std::move(file_);
  }

 private:
  void read_properties() {
    if (!lite_.model().metadata()) return;
    for (const tflite::Metadata* entry : *lite_.model().metadata()) {
      if (!entry->name() || entry->name()->str() != "octet") continue;
      const auto* data = at(lite_.model().buffers(), entry->buffer())->data();
      if (!data) continue;
      std::istringstream text(std::string(data->begin(), data->end()));
      for (std::string line; std::getline(text, line);) {
        const size_t equals = line.find('=');
        if (equals == std::string::npos) continue;
        const auto [held, fresh] =
            file_.properties.try_emplace(line.substr(0, equals), line.substr(equals + 1));
        if (!fresh) held->second += "\n" + line.substr(equals + 1);
      }
    }
  }

  void note(const tflite::Operator& op) {
    const auto code = lite_.code(op);
    for (size_t i = 0; op.outputs() && i < op.outputs()->size(); ++i) {
      makers_[at(op.outputs(), static_cast<int64_t>(i))] = &op;
    }
    for (size_t i = 0; op.inputs() && i < op.inputs()->size(); ++i) {
      const int32_t input = at(op.inputs(), static_cast<int64_t>(i));
      readers_[input].push_back(tflite::EnumNameBuiltinOperator(code));
      roles_.try_emplace(input, role_of(code, i));
    }
    if (const auto table = table_of(op)) tables_.insert(*table);
  }

  /// The operator that makes the tensor, when it has this code.
  const tflite::Operator* maker(int32_t tensor, tflite::BuiltinOperator code) const {
    const auto it = makers_.find(tensor);
    return it != makers_.end() && lite_.code(*it->second) == code ? it->second : nullptr;
  }

  /// The constant that a GATHER looks integers up in, which CAST and ADD made indices.
  std::optional<int32_t> table_of(const tflite::Operator& op) const {
    if (lite_.code(op) != tflite::BuiltinOperator_GATHER) return std::nullopt;
    const auto* add = maker(at(op.inputs(), 1), tflite::BuiltinOperator_ADD);
    if (!add || !maker(at(add->inputs(), 0), tflite::BuiltinOperator_CAST)) return std::nullopt;
    const int32_t table = at(op.inputs(), 0);
    if (!lite_.data(lite_.tensor(table))) return std::nullopt;
    return table;
  }

  void add(int32_t index) {
    const tflite::Tensor& from = lite_.tensor(index);
    const auto type = dtype_of_lite(from.type());
    const auto* quantization = from.quantization();
    const bool scaled = quantization && quantization->scale() && quantization->scale()->size() > 0;
    const bool real = type == DType::Float32 && lite_.data(from);
    if (!type || !(scaled || real) || tables_.contains(index)) return;
    StoredTensor tensor{.name = from.name() ? from.name()->str() : std::format("#{}", index),
                        .type = *type};
    if (!real) read_grid(*quantization, tensor);
    if (const auto* data = lite_.data(from)) read_constant(index, *data, tensor);
    if (const auto it = makers_.find(index); it != makers_.end()) {
      tensor.made_by = tflite::EnumNameBuiltinOperator(lite_.code(*it->second));
      if (const auto table = table_of(*it->second)) read_table(*table, tensor);
    }
    if (const auto it = readers_.find(index); it != readers_.end()) tensor.read_by = it->second;
    make_signed(tensor);
    file_.tensors.push_back(std::move(tensor));
  }

  void read_grid(const tflite::QuantizationParameters& from, StoredTensor& tensor) const {
    tensor.scale.assign(from.scale()->begin(), from.scale()->end());
    std::vector<int64_t> zeros(tensor.scale.size(), 0);
    if (from.zero_point()) zeros.assign(from.zero_point()->begin(), from.zero_point()->end());
    check_grid(tensor, zeros, path_);
    tensor.zero_point.assign(zeros.begin(), zeros.end());
    if (tensor.scale.size() > 1) tensor.axis = from.quantized_dimension();
  }

  /// Numbers of 4 bits, two in a byte, the first in its lower half.
  Tensor unpacked(const flatbuffers::Vector<uint8_t>& data, const Shape& shape) const {
    Tensor held(DType::Int8, shape);
    const auto numbers = held.as<int8_t>();
    for (size_t i = 0; i < numbers.size(); ++i) {
      const int half = data[static_cast<uint32_t>(i / 2)] >> (i % 2 == 0 ? 0 : 4) & 0xF;
      numbers[i] = static_cast<int8_t>(half < 8 ? half : half - 16);
    }
    return held;
  }

  Tensor integers(int32_t index, const flatbuffers::Vector<uint8_t>& data,
                  const StoredTensor& tensor) const {
    const Shape shape = lite::shape_of(lite_.tensor(index));
    const bool packed = lite_.tensor(index).type() == tflite::TensorType_INT4;
    const bool known = std::ranges::none_of(shape, [](int64_t dim) { return dim < 0; });
    const auto count = known ? static_cast<size_t>(element_count(shape)) : 0;
    const bool fits =
        known && (packed ? (count + 1) / 2 : count * size_of(tensor.type)) == data.size();
    if (!fits) {
      fail(Code::Model, "{}: '{}' holds {} bytes, which its shape {} of {} does not fit",
           path_.string(), tensor.name, data.size(), shape_text(shape), name_of(tensor.type));
    }
    if (packed) return unpacked(data, shape);
    Tensor held(tensor.type, shape);
    std::memcpy(held.bytes.data(), data.data(), data.size());
    return held;
  }

  void read_constant(int32_t index, const flatbuffers::Vector<uint8_t>& data,
                     StoredTensor& tensor) const {
    Tensor held = integers(index, data, tensor);
    const auto count = static_cast<int64_t>(tensor.scale.size());
    const auto rank = static_cast<int>(held.shape.size());
    const int axis = tensor.axis;
    if (count > 1 && (axis < 0 || axis >= rank || held.shape[static_cast<size_t>(axis)] != count)) {
      fail(Code::Model, "{}: '{}' is {} and has {} scales along axis {}; wanted one for each index",
           path_.string(), tensor.name, shape_text(held.shape), count, axis);
    }
    const auto it = roles_.find(index);
    const Role role = it == roles_.end() ? Role{} : it->second;
    tensor.layout = role.layout;
    if (!role.to_graph.empty() && rank == 4) {
      held = lite::permuted(held, role.to_graph);
      if (axis >= 0) {
        tensor.axis =
            static_cast<int>(std::ranges::find(role.to_graph, axis) - role.to_graph.begin());
      }
    }
    tensor.constant = std::move(held);
  }

  void read_table(int32_t index, StoredTensor& tensor) const {
    const Tensor held = integers(index, *lite_.data(lite_.tensor(index)), tensor);
    if (held.dtype == DType::Int8) {
      tensor.table.assign(held.as<int8_t>().begin(), held.as<int8_t>().end());
    }
  }

  const std::filesystem::path& path_;
  lite::ModelFile lite_;
  StoredFile file_;
  std::map<int32_t, const tflite::Operator*> makers_;
  std::map<int32_t, std::vector<std::string>> readers_;
  std::map<int32_t, Role> roles_;  ///< by the first operator that reads them
  std::set<int32_t> tables_;
};

}  // namespace

StoredFile read_stored_tflite(const std::filesystem::path& path) {
  try {
    return StoredReader(path).run();
  } catch (const Error& error) {
    const std::string what = error.what();
    if (what.contains(path.string())) throw;  // names the file already
    fail(error.code(), "{} is a damaged TFLite file: {}", path.string(), what);
  }
}

}  // namespace octet
