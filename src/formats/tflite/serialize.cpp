#include "formats/tflite/serialize.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>

#include "base/fail.h"
#include "base/text.h"

namespace octet::lite {
namespace {

tflite::TensorType type_of(DType type) {
  switch (type) {
    case DType::Float32: return tflite::TensorType_FLOAT32;
    case DType::Bool: return tflite::TensorType_BOOL;
    case DType::Int8: return tflite::TensorType_INT8;
    case DType::UInt8: return tflite::TensorType_UINT8;
    case DType::Int16: return tflite::TensorType_INT16;
    case DType::Int32: return tflite::TensorType_INT32;
    case DType::Int64: return tflite::TensorType_INT64;
    default: fail(Code::Unsupported, "tflite: tensors of {} are not written", name_of(type));
  }
}

/// Buffers of the file; equal contents are stored once. Buffer 0 is empty, as the format wants.
class Buffers {
 public:
  explicit Buffers(tflite::ModelT& file) : file_(file) {
    file_.buffers.push_back(std::make_unique<tflite::BufferT>());
  }
  uint32_t add(const std::vector<std::byte>& data) {
    if (data.empty()) return 0;
    const auto [it, fresh] = known_.try_emplace(data, file_.buffers.size());
    if (fresh) {
      auto buffer = std::make_unique<tflite::BufferT>();
      buffer->data.resize(data.size());
      std::memcpy(buffer->data.data(), data.data(), data.size());
      file_.buffers.push_back(std::move(buffer));
    }
    return static_cast<uint32_t>(it->second);
  }

 private:
  tflite::ModelT& file_;
  std::map<std::vector<std::byte>, size_t> known_;
};

/// The first of two numbers is in the lower half.
std::vector<std::byte> packed(std::span<const std::byte> numbers) {
  std::vector<std::byte> halves((numbers.size() + 1) / 2);
  for (size_t i = 0; i < numbers.size(); ++i) {
    halves[i / 2] |= (numbers[i] & std::byte{0xF}) << (i % 2 == 0 ? 0 : 4);
  }
  return halves;
}

std::unique_ptr<tflite::TensorT> encode(const LiteTensor& from, Buffers& buffers) {
  auto tensor = std::make_unique<tflite::TensorT>();
  tensor->name = from.name;
  tensor->type = from.packed ? tflite::TensorType_INT4 : type_of(from.type);
  tensor->shape.assign(from.shape.begin(), from.shape.end());
  tensor->buffer = buffers.add(from.packed ? packed(from.data) : from.data);
  if (from.scale.empty()) return tensor;
  tensor->quantization = std::make_unique<tflite::QuantizationParametersT>();
  tensor->quantization->scale = from.scale;
  tensor->quantization->zero_point.assign(from.zero_point.begin(), from.zero_point.end());
  tensor->quantization->quantized_dimension = from.scale.size() > 1 ? from.axis : 0;
  return tensor;
}

/// Index of an operator's code in the file, which lists each code and version once.
uint32_t code_index(tflite::ModelT& file, const LiteOp& op) {
  const auto it = std::ranges::find_if(file.operator_codes, [&](const auto& code) {
    return code->builtin_code == op.code && code->version == op.version;
  });
  const auto index = static_cast<uint32_t>(it - file.operator_codes.begin());
  if (it != file.operator_codes.end()) return index;
  auto code = std::make_unique<tflite::OperatorCodeT>();
  code->builtin_code = op.code;
  // Readers that know one byte only see 127 for the codes beyond it.
  code->deprecated_builtin_code = static_cast<int8_t>(
      std::min<int>(op.code, tflite::BuiltinOperator_PLACEHOLDER_FOR_GREATER_OP_CODES));
  code->version = op.version;
  file.operator_codes.push_back(std::move(code));
  return index;
}

void add_properties(tflite::ModelT& file, const Properties& properties, Buffers& buffers) {
  std::string lines;
  for (const auto& [key, text] : properties) {
    for (const std::string& line : split_text(text, '\n')) lines += key + "=" + line + "\n";
  }
  if (lines.empty()) return;
  auto entry = std::make_unique<tflite::MetadataT>();
  entry->name = "octet";
  const auto bytes = std::as_bytes(std::span(lines));
  entry->buffer = buffers.add({bytes.begin(), bytes.end()});
  file.metadata.push_back(std::move(entry));
}

}  // namespace

std::vector<std::byte> serialize(const LiteModel& model) {
  tflite::ModelT file;
  file.version = 3;
  file.description = "octet";
  Buffers buffers(file);
  auto graph = std::make_unique<tflite::SubGraphT>();
  graph->name = "main";
  for (const LiteTensor& tensor : model.tensors) graph->tensors.push_back(encode(tensor, buffers));
  for (const LiteOp& from : model.ops) {
    auto op = std::make_unique<tflite::OperatorT>();
    op->opcode_index = code_index(file, from);
    op->builtin_options = from.options;
    op->inputs = from.inputs;
    op->outputs = from.outputs;
    graph->operators.push_back(std::move(op));
  }
  graph->inputs = model.inputs;
  graph->outputs = model.outputs;
  file.subgraphs.push_back(std::move(graph));
  add_properties(file, model.properties, buffers);

  flatbuffers::FlatBufferBuilder builder;
  tflite::FinishModelBuffer(builder, tflite::CreateModel(builder, &file));
  flatbuffers::Verifier verifier(builder.GetBufferPointer(), builder.GetSize());
  if (!tflite::VerifyModelBuffer(verifier)) {
    fail(Code::Runtime, "tflite: the file of {} bytes does not verify", builder.GetSize());
  }
  const auto bytes = std::as_bytes(std::span(builder.GetBufferPointer(), builder.GetSize()));
  return {bytes.begin(), bytes.end()};
}

}  // namespace octet::lite
