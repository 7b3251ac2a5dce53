#include <cstring>
#include <map>
#include <mutex>

#include "base/fail.h"
#include "base/text.h"
#include "formats/onnx/onnx_file.h"
#include "runtime/node.h"
#include "runtime/onnxruntime_environment.h"

namespace octet {
namespace {

ONNXTensorElementDataType element_type(DType type) {
  switch (type) {
    case DType::Float32: return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
    case DType::Float64: return ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE;
    case DType::Float16: return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16;
    case DType::BFloat16: return ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16;
    case DType::Int8: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8;
    case DType::UInt8: return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8;
    case DType::Int16: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16;
    case DType::UInt16: return ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16;
    case DType::Int32: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32;
    case DType::Int64: return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
    case DType::Bool: return ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL;
    default: fail(Code::Unsupported, "ONNX Runtime takes no {} here", name_of(type));
  }
}

DType dtype_of(ONNXTensorElementDataType type) {
  for (const DType candidate :
       {DType::Float32, DType::Float64, DType::Float16, DType::BFloat16, DType::Int8, DType::UInt8,
        DType::Int16, DType::UInt16, DType::Int32, DType::Int64, DType::Bool}) {
    if (element_type(candidate) == type) return candidate;
  }
  fail(Code::Unsupported, "ONNX Runtime gives a tensor of a type that octet lacks");
}

/// The node as a network of its own; its inputs are "0", "1", ... of any shape.
Graph alone(const Node& node, std::span<const Tensor> inputs) {
  Graph graph;
  Node copy = node;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kAbsent) continue;
    copy.inputs[i] = graph.add_input(std::to_string(i), inputs[i].dtype, {});
    graph.value(copy.inputs[i]).shape_known = false;
  }
  for (ValueId& out : copy.outputs) {
    if (out == kAbsent) continue;
    out = graph.add_value("out");
    graph.add_output(out);
  }
  graph.add_node(std::move(copy));
  return graph;
}

/// Sessions are made once for each node and kept.
Ort::Session& session_of(const Node& node, std::span<const Tensor> inputs) {
  static std::map<std::string, Ort::Session> sessions;
  static std::mutex mutex;
  const std::vector<std::byte> model = write_node_model(alone(node, inputs));
  const std::lock_guard lock(mutex);
  const std::string key(reinterpret_cast<const char*>(model.data()), model.size());
  const auto it = sessions.find(key);
  if (it != sessions.end()) return it->second;
  return sessions
      .emplace(key, Ort::Session(onnxruntime_environment(), model.data(), model.size(),
                                 onnxruntime_options(0)))
      .first->second;
}

Tensor tensor_of(const Ort::Value& value) {
  const auto info = value.GetTensorTypeAndShapeInfo();
  Tensor tensor(dtype_of(info.GetElementType()), info.GetShape());
  if (!tensor.bytes.empty()) {
    std::memcpy(tensor.bytes.data(), value.GetTensorRawData(), tensor.bytes.size());
  }
  return tensor;
}

std::vector<Tensor> run(const Node& node, std::span<const Tensor> inputs) {
  Ort::Session& session = session_of(node, inputs);
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  std::vector<std::string> names;
  std::vector<Ort::Value> values;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == kAbsent) continue;
    names.push_back(std::to_string(i));
    const Tensor& given = inputs[i];
    // ONNX Runtime's interface lacks const; inputs are not written.
    auto* data = const_cast<std::byte*>(given.bytes.data());
    values.push_back(Ort::Value::CreateTensor(memory, data, given.bytes.size(), given.shape.data(),
                                              given.shape.size(), element_type(given.dtype)));
  }
  std::vector<std::string> wanted = session.GetOutputNames();
  const auto pointers = [](const std::vector<std::string>& texts) {
    std::vector<const char*> found;
    for (const std::string& text : texts) found.push_back(text.c_str());
    return found;
  };
  const auto made = session.Run(Ort::RunOptions{nullptr}, pointers(names).data(), values.data(),
                                values.size(), pointers(wanted).data(), wanted.size());
  std::vector<Tensor> outputs;
  size_t next = 0;
  for (const ValueId out : node.outputs) {
    outputs.push_back(out == kAbsent ? Tensor(DType::Float32, {0}) : tensor_of(made.at(next++)));
  }
  return outputs;
}

}  // namespace

std::vector<Tensor> run_node(const Node& node, std::span<const Tensor> inputs) {
  try {
    return run(node, inputs);
  } catch (const Ort::Exception& error) {
    fail(Code::Unsupported, "{}: octet has no kernel of it, and ONNX Runtime refuses it: {}",
         describe(node), first_line(error.what()));
  }
}

}  // namespace octet
