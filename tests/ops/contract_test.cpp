// Every operator of the registry is what ONNX Runtime says it is.

#include <gtest/gtest.h>
#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iostream>
#include <numeric>
#include <sstream>

#include "base/file.h"
#include "base/text.h"
#include "ops/examples.h"
#include "formats/onnx/onnx_file.h"
#include "support/error_of.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

using test::op_examples;
using test::Operand;
using test::OpExample;
using L = std::vector<int64_t>;

constexpr double kTolerance = 1e-5;

/// ONNX Runtime and libonnx both register the operators' schemas, and say so on std::cerr, which
/// is silent while this lives.
class Silence {
 public:
  Silence() : before_(std::cerr.rdbuf(ignored_.rdbuf())) {}
  ~Silence() { std::cerr.rdbuf(before_); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;

 private:
  std::ostringstream ignored_;
  std::streambuf* before_;
};

/// What ONNX Runtime makes of the network in `file`, without optimizing it first.
Tensor onnxruntime_output(const std::filesystem::path& file, const OpExample& example) {
  const Silence silence;
  static const Ort::Env env(ORT_LOGGING_LEVEL_FATAL, "test");
  Ort::SessionOptions options;
  options.SetGraphOptimizationLevel(ORT_DISABLE_ALL);
  options.SetIntraOpNumThreads(1);
  Ort::Session session(env, file.c_str(), options);
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  std::vector<std::string> names;
  std::vector<Tensor> tensors;
  for (size_t i = 0; i < example.inputs.size(); ++i) {
    if (example.inputs[i].kind != Operand::Kind::Input) continue;
    names.push_back("in" + std::to_string(i));
    tensors.push_back(example.inputs[i].tensor);
  }
  std::vector<const char*> given;
  std::vector<Ort::Value> values;
  for (size_t i = 0; i < names.size(); ++i) {
    given.push_back(names[i].c_str());
    const auto type = tensors[i].dtype == DType::Int64 ? ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64
                                                       : ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
    values.push_back(Ort::Value::CreateTensor(memory, tensors[i].bytes.data(),
                                              tensors[i].bytes.size(), tensors[i].shape.data(),
                                              tensors[i].shape.size(), type));
  }
  const char* const wanted = "out";
  const auto results =
      session.Run(Ort::RunOptions{}, given.data(), values.data(), given.size(), &wanted, 1);
  const auto info = results[0].GetTensorTypeAndShapeInfo();
  const bool whole = info.GetElementType() == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
  Tensor out(whole ? DType::Int64 : DType::Float32, info.GetShape());
  std::memcpy(out.bytes.data(), results[0].GetTensorRawData(), out.bytes.size());
  return out;
}

std::vector<double> numbers_of(const Tensor& tensor) {
  if (tensor.dtype == DType::Int64) {
    const auto values = tensor.as<int64_t>();
    return {values.begin(), values.end()};
  }
  const auto values = tensor.as<float>();
  return {values.begin(), values.end()};
}

/// Largest difference over largest number; 1 where type or shape differ.
double relative_error(const Tensor& ours, const Tensor& theirs) {
  if (ours.dtype != theirs.dtype || ours.shape != theirs.shape) return 1;
  double worst = 0;
  double largest = 1e-30;
  const std::vector<double> a = numbers_of(ours);
  const std::vector<double> b = numbers_of(theirs);
  for (size_t i = 0; i < a.size(); ++i) {
    worst = std::max(worst, std::abs(a[i] - b[i]));
    largest = std::max(largest, std::abs(b[i]));
  }
  return worst / largest;
}

std::string type_of(const Tensor& tensor) {
  return std::format("{}[{}]", name_of(tensor.dtype), shape_text(tensor.shape));
}

TEST(OpContract, EveryOperatorAndAttributeHasAnExample) {
  for (const OpDef& op : all_ops()) {
    const auto of_this = [&](const OpExample& example) { return example.op == op.name.value; };
    EXPECT_TRUE(std::ranges::any_of(op_examples(), of_this))
        << op.name.value << " has no example; add some to tests/ops/examples.h";
    for (const std::string_view attribute : op.attributes.value) {
      EXPECT_TRUE(std::ranges::any_of(op_examples(),
                                      [&](const OpExample& example) {
                                        return of_this(example) &&
                                               example.attributes.contains(std::string(attribute));
                                      }))
          << "no example of " << op.name.value << " sets '" << attribute << "'";
    }
  }
}

TEST(OpContract, ComputesWhatOnnxRuntimeComputes) {
  const TempFolder folder;
  double worst = 0;
  for (const OpExample& example : op_examples()) {
    SCOPED_TRACE(example.title());
    try {
      Graph graph = graph_of(example);
      infer_shapes(graph);
      std::vector<at::Tensor> inputs;
      for (const Operand& operand : example.inputs) {
        if (operand.kind == Operand::Kind::Input) inputs.push_back(to_torch(operand.tensor));
      }
      Interpretation plain;
      const Tensor ours = from_torch(Executor(graph).run(inputs, plain).at(0));
      write_file(folder / "node.onnx", write_onnx(graph));
      const Tensor theirs = onnxruntime_output(folder / "node.onnx", example);
      const double error = relative_error(ours, theirs);
      worst = std::max(worst, error);
      EXPECT_LE(error, kTolerance) << "ours " << type_of(ours) << ", theirs " << type_of(theirs);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
  RecordProperty("examples", static_cast<int>(op_examples().size()));
  RecordProperty("largest_relative_error", std::format("{:.2e}", worst));
}

TEST(OpContract, ReportsItsOwnName) {
  EXPECT_EQ(find_op("Mod"), nullptr);
  for (const OpDef& op : all_ops()) EXPECT_EQ(find_op(op.name.value), &op);
}

// ---- what is refused, and how ---------------------------------------------------------------

struct Refusal {
  OpExample example;
  Code code;
  std::string_view message;
};

std::vector<Refusal> refusals() {
  using namespace test;
  return {
      {{"Mod", "", {x({2, 3}), x({2, 3})}},
       Code::Unsupported,
       "node \"node\" (Mod): this operator is not supported; 'octet inspect' names all such nodes"},
      {{"Relu", "", {x({2, 3})}, {{"alpha", 1.0F}}},
       Code::Unsupported,
       "node \"node\" (Relu): its attribute 'alpha' is not supported"},
      {{"MaxPool", "", {x({2, 3, 4, 4})}, {{"kernel_shape", L{2, 2}}, {"storage_order", 1}}},
       Code::Unsupported,
       "node \"node\" (MaxPool): its second output (indices) is not supported"},
      {{"Pad", "", {x({2, 3}), list({0, 1, 0, 1})}, {{"mode", "reflect"}}},
       Code::Unsupported,
       "node \"node\" (Pad): only the mode 'constant' is supported"},
      {{"BatchNormalization",
        "",
        {x({2, 3}), c({3}), c({3}), c({3}), c({3}, 1, 2)},
        {{"training_mode", 1}}},
       Code::Unsupported,
       "node \"node\" (BatchNormalization): training_mode is set; export the network in evaluation "
       "mode"},
      {{"Conv", "", {x({2, 3, 8}), c({4, 3, 3})}},
       Code::Unsupported,
       "node \"node\" (Conv): its input has rank 3; only two spatial dimensions are supported"},
      {{"Conv", "", {x({2, 3, 4, 4, 4}), c({4, 3, 3, 3, 3})}},
       Code::Unsupported,
       "node \"node\" (Conv): its input has rank 5; only two spatial dimensions are supported"},
      {{"MaxPool", "", {x({2, 3, 8})}, {{"kernel_shape", L{2}}}},
       Code::Unsupported,
       "node \"node\" (MaxPool): its input has rank 3; only two spatial dimensions are supported"},
      {{"Conv", "", {x({2, 3, 8, 8}), c({4, 3, 3, 3})}, {{"strides", L{2}}}},
       Code::Unsupported,
       "node \"node\" (Conv): 'strides' has 1 entries; only two spatial dimensions are supported"},
      {{"Conv", "", {x({2, 3, 8, 8}), c({4, 3, 3, 3})}, {{"pads", L{1, 1}}}},
       Code::Unsupported,
       "node \"node\" (Conv): 'pads' has 2 entries, wanted 4"},
      {{"Conv", "", {x({2, 3, 8, 8}), c({4, 3, 3, 3})}, {{"auto_pad", "SAME"}}},
       Code::Model,
       "node \"node\" (Conv): auto_pad is 'SAME'"},
      {{"Conv", "", {x({2, 3, 8, 8}), c({4, 3, 3, 3})}, {{"group", 1.0F}}},
       Code::Model,
       "node \"node\" (Conv): the attribute 'group' has an unexpected type"},
      {{"AveragePool", "", {x({2, 3, 8, 8})}, {{"kernel_shape", L{2, 2}}, {"dilations", L{2, 2}}}},
       Code::Unsupported,
       "node \"node\" (AveragePool): dilations are not supported"},
      {{"AveragePool", "", {x({2, 3, 8, 8})}, {{"kernel_shape", L{2, 2}}, {"pads", L{0, 0, 1, 1}}}},
       Code::Unsupported,
       "node \"node\" (AveragePool): uneven pads without count_include_pad are not supported"},
      {{"Cast", "", {x({2})}, {{"to", 10}}},
       Code::Unsupported,
       "node \"node\" (Cast): a cast to ONNX type 10 is not supported"},
      {{"Add", "", {x({2, 3}), x({2, 4})}},
       Code::Model,
       "node \"node\" (Add): cannot be computed on inputs of shape [2x3, 2x4]: The size of tensor "
       "a (3) must match the size of tensor b (4) at non-singleton dimension 1"},
  };
}

std::string tried(const Graph& graph, const OpExample& example, Code wanted) {
  const Error error = error_of([&] {
    std::vector<at::Tensor> inputs;
    for (const Operand& operand : example.inputs) {
      if (operand.kind == Operand::Kind::Input) inputs.push_back(to_torch(operand.tensor));
    }
    Interpretation plain;
    Executor(graph).run(inputs, plain);
  });
  EXPECT_EQ(error.code(), wanted) << error.what();
  return error.what();
}

TEST(OpContract, RefusesByName) {
  for (const auto& [example, code, message] : refusals()) {
    EXPECT_EQ(tried(graph_of(example), example, code), message);
  }
}

TEST(OpContract, RefusesTheIndicesOfMaxPool) {
  const OpExample example{"MaxPool", "", {test::x({2, 3, 4, 4})}, {{"kernel_shape", L{2, 2}}}};
  Graph graph = graph_of(example);
  graph.node(graph.order()[0]).outputs.push_back(graph.add_value("indices"));
  EXPECT_EQ(tried(graph, example, Code::Unsupported),
            "node \"node\" (MaxPool): its second output (indices) is not supported");
}

}  // namespace
}  // namespace octet
