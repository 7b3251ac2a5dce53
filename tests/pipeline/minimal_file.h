#pragma once

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/file.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace octet::test {

inline onnx::ModelProto onnx_of(const std::filesystem::path& path) {
  onnx::ModelProto model;
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(model.ParseFromIstream(&in)) << path;
  return model;
}

inline std::unique_ptr<tflite::ModelT> tflite_of(const std::filesystem::path& path) {
  const auto bytes = read_file(path, Code::Model);
  return tflite::UnPackModel(bytes.data());
}

/// No constant twice or unread, no node whose results nobody reads, and no number dequantized to be
/// quantized to the same grid again.
inline void check_minimal_onnx(const std::filesystem::path& path) {
  const onnx::ModelProto model = onnx_of(path);
  std::set<std::string> read;
  for (const auto& output : model.graph().output()) read.insert(output.name());
  for (const auto& node : model.graph().node())
    read.insert(node.input().begin(), node.input().end());
  std::map<std::tuple<int32_t, std::vector<int64_t>, std::string>, std::string> constants;
  for (const auto& held : model.graph().initializer()) {
    EXPECT_TRUE(read.contains(held.name())) << "nobody reads " << held.name();
    const auto [it, fresh] = constants.try_emplace(
        {held.data_type(), {held.dims().begin(), held.dims().end()}, held.raw_data()}, held.name());
    EXPECT_TRUE(fresh) << held.name() << " equals " << it->second;
  }
  std::map<std::string, const onnx::NodeProto*> makers;
  for (const auto& node : model.graph().node()) {
    bool used = false;
    for (const auto& output : node.output()) {
      used = used || read.contains(output);
      makers[output] = &node;
    }
    const bool quantizes = node.op_type() == "QuantizeLinear";
    const onnx::NodeProto* before = quantizes ? makers[node.input(0)] : nullptr;
    // An operator of several results is one on integers when all of them are quantized.
    const bool part = before && before->output_size() > 1;
    // What only tables look up says its grid all the same.
    const auto* made = node.op_type() == "DequantizeLinear" ? makers[node.input(0)] : nullptr;
    const auto* table = made && made->op_type() == "Reshape" ? makers[made->input(0)] : nullptr;
    const bool grid = table && table->op_type() == "GatherElements";
    EXPECT_TRUE(used || part || grid) << "nobody reads node " << node.name();
    if (!quantizes) continue;
    const bool same = before && before->op_type() == "DequantizeLinear" &&
                      before->input(1) == node.input(1) && before->input(2) == node.input(2);
    EXPECT_FALSE(same) << "needless pair before " << node.name();
  }
}

inline void check_minimal_buffers(const tflite::ModelT& model) {
  std::set<uint32_t> referenced{0};
  for (const auto& tensor : model.subgraphs[0]->tensors) referenced.insert(tensor->buffer);
  for (const auto& entry : model.metadata) referenced.insert(entry->buffer);
  std::set<std::vector<uint8_t>> contents;
  for (size_t i = 0; i < model.buffers.size(); ++i) {
    EXPECT_TRUE(referenced.contains(static_cast<uint32_t>(i))) << "nobody reads buffer " << i;
    EXPECT_TRUE(contents.insert(model.buffers[i]->data).second) << "buffer " << i << " is double";
  }
}

/// QUANTIZE of real numbers and DEQUANTIZE at the ends alone; where operators compute in float,
/// around these, and no tensor is dequantized twice, or to be quantized again.
inline void check_minimal_rounding(const tflite::ModelT& model) {
  const tflite::SubGraphT& graph = *model.subgraphs[0];
  std::map<tflite::BuiltinOperator, size_t> counts;
  std::set<int32_t> dequantized;
  std::set<int32_t> real;
  bool in_float = false;
  for (const auto& op : graph.operators) {
    const auto code = model.operator_codes[op->opcode_index]->builtin_code;
    const auto& input = *graph.tensors[static_cast<size_t>(op->inputs[0])];
    const bool regrids =
        code == tflite::BuiltinOperator_QUANTIZE && input.type != tflite::TensorType_FLOAT32;
    if (!regrids) ++counts[code];
    if (code == tflite::BuiltinOperator_DEQUANTIZE) {
      EXPECT_TRUE(dequantized.insert(op->inputs[0]).second);
      real.insert(op->outputs[0]);
    } else if (code == tflite::BuiltinOperator_QUANTIZE) {
      EXPECT_FALSE(real.contains(op->inputs[0])) << "a needless pair";
    } else {
      in_float |=
          graph.tensors[static_cast<size_t>(op->outputs[0])]->type == tflite::TensorType_FLOAT32;
    }
  }
  if (in_float) return;
  EXPECT_EQ(counts[tflite::BuiltinOperator_QUANTIZE], graph.inputs.size());
  EXPECT_EQ(counts[tflite::BuiltinOperator_DEQUANTIZE], graph.outputs.size());
}

/// No buffer, tensor, operator or operator code that is unused or there twice, and no needless
/// rounding.
inline void check_minimal_tflite(const std::filesystem::path& path) {
  const auto model = tflite_of(path);
  check_minimal_buffers(*model);
  const tflite::SubGraphT& graph = *model->subgraphs[0];
  std::set<int32_t> read(graph.outputs.begin(), graph.outputs.end());
  for (const auto& op : graph.operators) {
    read.insert(op->inputs.begin(), op->inputs.end());
    if (op->outputs.size() > 1) read.insert(op->outputs.begin(), op->outputs.end());
  }
  std::set<std::tuple<int, std::vector<int32_t>, uint32_t>> numbers;
  std::set<std::string> names;
  for (size_t i = 0; i < graph.tensors.size(); ++i) {
    const tflite::TensorT& tensor = *graph.tensors[i];
    EXPECT_TRUE(read.contains(static_cast<int32_t>(i))) << "nobody reads " << tensor.name;
    EXPECT_TRUE(names.insert(tensor.name).second) << "two tensors are called " << tensor.name;
    // Values of the graph are told apart by their names, on grids and in float.
    if (tensor.buffer == 0 || tensor.quantization || tensor.type == tflite::TensorType_FLOAT32) {
      continue;
    }
    EXPECT_TRUE(numbers.insert({tensor.type, tensor.shape, tensor.buffer}).second)
        << tensor.name << " is double";
  }
  std::set<uint32_t> codes;
  for (const auto& op : graph.operators) codes.insert(op->opcode_index);
  EXPECT_EQ(codes.size(), model->operator_codes.size());
  check_minimal_rounding(*model);
}

}  // namespace octet::test
