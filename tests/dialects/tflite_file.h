#pragma once

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/quant_table.h"
#include "tensorflow/lite/interpreter.h"
#include "tensorflow/lite/interpreter_builder.h"
#include "tensorflow/lite/kernels/register.h"
#include "tensorflow/lite/kernels/register_ref.h"
#include "tensorflow/lite/schema/schema_generated.h"

namespace octet::test {

/// A TFLite file whose inputs and outputs are integers.
class LiteFile {
 public:
  /// What octet wrote, without its QUANTIZE and DEQUANTIZE at the ends.
  static LiteFile of(std::span<const std::byte> written) {
    std::unique_ptr<tflite::ModelT> file(tflite::UnPackModel(written.data()));
    tflite::SubGraphT& graph = *file->subgraphs[0];
    std::erase_if(graph.operators, [&](const auto& op) {
      const auto code = file->operator_codes[op->opcode_index]->builtin_code;
      if (code == tflite::BuiltinOperator_QUANTIZE) {
        const auto it = std::ranges::find(graph.inputs, op->inputs[0]);
        const auto& tensor = *graph.tensors[static_cast<size_t>(op->inputs[0])];
        if (it == graph.inputs.end() || tensor.type != tflite::TensorType_FLOAT32) return false;
        *it = op->outputs[0];
        return true;
      }
      if (code != tflite::BuiltinOperator_DEQUANTIZE) return false;
      std::ranges::replace(graph.outputs, op->outputs[0], op->inputs[0]);
      return true;
    });
    return LiteFile(*file);
  }

  explicit LiteFile(const tflite::ModelT& file) {
    tflite::FinishModelBuffer(builder_, tflite::CreateModel(builder_, &file));
    for (const auto& op : file.subgraphs[0]->operators) {
      if (!operators_.empty()) operators_ += " ";
      operators_ +=
          tflite::EnumNameBuiltinOperator(file.operator_codes[op->opcode_index]->builtin_code);
    }
  }

  const std::string& operators() const { return operators_; }

  /// The output for the integers of all inputs, by the kernels of TFLite's default resolver without
  /// delegates, or by its reference kernels.
  template <class T>
  std::vector<T> run(const std::vector<std::vector<T>>& inputs, bool reference) const {
    const tflite::Model* model = tflite::GetModel(builder_.GetBufferPointer());
    std::unique_ptr<tflite::Interpreter> made;
    if (reference) {
      tflite::InterpreterBuilder(model, tflite::ops::builtin::BuiltinRefOpResolver())(&made);
    } else {
      tflite::InterpreterBuilder(
          model, tflite::ops::builtin::BuiltinOpResolverWithoutDefaultDelegates())(&made);
    }
    if (!made || made->AllocateTensors() != kTfLiteOk) {
      ADD_FAILURE() << "TFLite refuses " << operators_;
      return {};
    }
    for (size_t i = 0; i < inputs.size(); ++i) {
      EXPECT_EQ(made->input_tensor(i)->bytes, inputs[i].size() * sizeof(T));
      std::ranges::copy(inputs[i], made->typed_input_tensor<T>(static_cast<int>(i)));
    }
    EXPECT_EQ(made->Invoke(), kTfLiteOk);
    const auto* out = made->typed_output_tensor<T>(0);
    return {out, out + made->output_tensor(0)->bytes / sizeof(T)};
  }

 private:
  flatbuffers::FlatBufferBuilder builder_;
  std::string operators_;
};

/// Integers of a tensor as they lie in a file: channels last where there are four dimensions.
template <class T = int8_t>
std::vector<T> in_file(const at::Tensor& integers) {
  const at::Tensor wanted =
      (integers.dim() == 4 ? integers.permute({0, 2, 3, 1}) : integers).contiguous();
  const auto* from = wanted.const_data_ptr<int32_t>();
  std::vector<T> narrow(static_cast<size_t>(wanted.numel()));
  std::ranges::transform(from, from + narrow.size(), narrow.begin(),
                         [](int32_t x) { return static_cast<T>(x); });
  return narrow;
}

/// How far two results are from one another, in integers.
struct Steps {
  int worst = 0;
  size_t different = 0;
  size_t all = 0;
};

/// Writes a file of one operator that octet has no lowering for.
class LiteOperator {
 public:
  LiteOperator() {
    file_.version = 3;
    file_.buffers.push_back(std::make_unique<tflite::BufferT>());
    file_.subgraphs.push_back(std::make_unique<tflite::SubGraphT>());
  }

  /// An int8 input of the file.
  void add_input(const Shape& shape, const QuantParams& params) {
    op_.inputs.push_back(add(shape, &params, tflite::TensorType_INT8));
    net().inputs.push_back(op_.inputs.back());
  }
  /// A constant; `integers` are the bytes of int8 or int32 numbers.
  void add_constant(const Shape& shape, const QuantParams* params, tflite::TensorType type,
                    std::span<const std::byte> integers) {
    op_.inputs.push_back(add(shape, params, type));
    net().tensors.back()->buffer = static_cast<uint32_t>(file_.buffers.size());
    file_.buffers.push_back(std::make_unique<tflite::BufferT>());
    file_.buffers.back()->data.resize(integers.size());
    std::memcpy(file_.buffers.back()->data.data(), integers.data(), integers.size());
  }

  template <class Options>
  LiteFile finish(tflite::BuiltinOperator code, int version, Options options, const Shape& shape,
                  const QuantParams& out) {
    op_.outputs.push_back(add(shape, &out, tflite::TensorType_INT8));
    net().outputs = op_.outputs;
    auto known = std::make_unique<tflite::OperatorCodeT>();
    known->builtin_code = code;
    known->deprecated_builtin_code = static_cast<int8_t>(std::min<int>(code, 127));
    known->version = version;
    file_.operator_codes.push_back(std::move(known));
    op_.builtin_options.Set(std::move(options));
    net().operators.push_back(std::make_unique<tflite::OperatorT>(op_));
    return LiteFile(file_);
  }

 private:
  tflite::SubGraphT& net() { return *file_.subgraphs[0]; }

  int add(const Shape& shape, const QuantParams* params, tflite::TensorType type) {
    auto tensor = std::make_unique<tflite::TensorT>();
    tensor->shape.assign(shape.begin(), shape.end());
    tensor->type = type;
    tensor->name = "t" + std::to_string(net().tensors.size());
    if (params) {
      tensor->quantization = std::make_unique<tflite::QuantizationParametersT>();
      tensor->quantization->scale = params->scale;
      tensor->quantization->zero_point.assign(params->zero_point.begin(), params->zero_point.end());
    }
    net().tensors.push_back(std::move(tensor));
    return static_cast<int>(net().tensors.size()) - 1;
  }

  tflite::ModelT file_;
  tflite::OperatorT op_;
};

}  // namespace octet::test
