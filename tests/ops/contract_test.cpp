// Every operator of the registry is what ONNX Runtime says it is.

#include <gtest/gtest.h>
#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iostream>
#include <limits>
#include <sstream>

#include "base/file.h"
#include "base/text.h"
#include "formats/onnx/onnx_file.h"
#include "formats/onnx/tensor_proto.h"
#include "ops/examples.h"
#include "ops/foreign.h"
#include "support/error_of.h"
#include "support/temp_folder.h"

namespace octet {
namespace {

using test::numbers_of;
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

ONNXTensorElementDataType element_type(DType type) {
  return static_cast<ONNXTensorElementDataType>(onnx_type(type));  // the numbers are the same
}

Tensor tensor_of(const Ort::Value& value) {
  const auto info = value.GetTensorTypeAndShapeInfo();
  Tensor tensor(dtype_from_onnx(info.GetElementType()), info.GetShape());
  if (!tensor.bytes.empty()) {
    std::memcpy(tensor.bytes.data(), value.GetTensorRawData(), tensor.bytes.size());
  }
  return tensor;
}

/// What ONNX Runtime makes of the network in `file`, without optimizing it first.
std::vector<Tensor> onnxruntime_outputs(const std::filesystem::path& file,
                                        const OpExample& example) {
  const Silence silence;
  static const Ort::Env env(ORT_LOGGING_LEVEL_FATAL, "test");
  Ort::SessionOptions options;
  options.SetGraphOptimizationLevel(ORT_DISABLE_ALL);
  options.SetIntraOpNumThreads(1);
  Ort::Session session(env, file.c_str(), options);
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  std::vector<std::string> names;
  std::vector<Ort::Value> values;
  std::vector<Tensor> tensors;
  for (size_t i = 0; i < example.inputs.size(); ++i) {
    if (example.inputs[i].kind != Operand::Kind::Input) continue;
    names.push_back("in" + std::to_string(i));
    tensors.push_back(example.inputs[i].tensor);
  }
  for (Tensor& tensor : tensors) {
    values.push_back(Ort::Value::CreateTensor(memory, tensor.bytes.data(), tensor.bytes.size(),
                                              tensor.shape.data(), tensor.shape.size(),
                                              element_type(tensor.dtype)));
  }
  for (int i = 0; i < example.outputs; ++i) names.push_back("out" + std::to_string(i));
  std::vector<const char*> texts;
  for (const std::string& name : names) texts.push_back(name.c_str());
  const auto results = session.Run(Ort::RunOptions{}, texts.data(), values.data(), values.size(),
                                   texts.data() + values.size(), texts.size() - values.size());
  std::vector<Tensor> outputs;
  for (const Ort::Value& result : results) outputs.push_back(tensor_of(result));
  return outputs;
}

/// What the operator must compute: ONNX Runtime's answer, or the example's own.
std::vector<Tensor> wanted_outputs(const OpExample& example, const Graph& graph,
                                   const TempFolder& folder) {
  if (example.reference) return example.reference(example);
  write_file(folder / "node.onnx", write_onnx(graph));
  return onnxruntime_outputs(folder / "node.onnx", example);
}

std::vector<Tensor> our_outputs(const Graph& graph, const OpExample& example) {
  std::vector<at::Tensor> inputs;
  for (const Operand& operand : example.inputs) {
    if (operand.kind == Operand::Kind::Input) inputs.push_back(to_torch(operand.tensor));
  }
  Interpretation plain;
  std::vector<Tensor> outputs;
  for (const at::Tensor& output : Executor(graph).run(inputs, plain)) {
    outputs.push_back(from_torch(output));
  }
  return outputs;
}

/// Largest difference over largest number; infinite where type or shape differ, or a number that
/// is not finite.
double relative_error(const Tensor& ours, const Tensor& theirs) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (ours.dtype != theirs.dtype || ours.shape != theirs.shape) return kInfinity;
  double worst = 0;
  double largest = 1e-30;
  const std::vector<double> a = numbers_of(ours);
  const std::vector<double> b = numbers_of(theirs);
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) return kInfinity;
    worst = std::max(worst, std::abs(a[i] - b[i]));
  }
  for (const double number : b) {
    if (std::isfinite(number)) largest = std::max(largest, std::abs(number));
  }
  return worst / largest;
}

double tolerance_of(DType type) {
  if (type == DType::Float16) return 2e-3;
  return type == DType::BFloat16 ? 2e-2 : kTolerance;
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

/// The largest error of the example's outputs.
double contract_error(const OpExample& example, const TempFolder& folder) {
  Graph graph = graph_of(example);
  infer_shapes(graph);
  const std::vector<Tensor> ours = our_outputs(graph, example);
  const std::vector<Tensor> theirs = wanted_outputs(example, graph, folder);
  EXPECT_EQ(ours.size(), theirs.size());
  double worst = 0;
  for (size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i) {
    const double error = relative_error(ours[i], theirs[i]);
    EXPECT_LE(error, tolerance_of(theirs[i].dtype))
        << "output " << i << ": ours " << type_of(ours[i]) << ", theirs " << type_of(theirs[i]);
    if (tolerance_of(theirs[i].dtype) == kTolerance) worst = std::max(worst, error);
  }
  return worst;
}

TEST(OpContract, ComputesWhatOnnxRuntimeComputes) {
  const TempFolder folder;
  double worst = 0;
  for (const OpExample& example : op_examples()) {
    SCOPED_TRACE(example.title());
    try {
      worst = std::max(worst, contract_error(example, folder));
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
  RecordProperty("examples", static_cast<int>(op_examples().size()));
  RecordProperty("largest_relative_error", std::format("{:.2e}", worst));
}

/// The outputs with every float among the inputs in another type.
std::vector<at::Tensor> outputs_in(const OpExample& example, at::ScalarType type) {
  const Graph graph = graph_of(example);
  const Node& node = graph.node(graph.order()[0]);
  std::vector<at::Tensor> inputs;
  for (const Operand& operand : example.inputs) {
    at::Tensor input;
    if (operand.kind != Operand::Kind::Absent) input = to_torch(operand.tensor);
    if (input.defined() && input.scalar_type() == at::kFloat) input = input.to(type);
    inputs.push_back(input);
  }
  std::vector<at::Tensor> outputs = op_of(node).run.value({node, inputs});
  outputs.resize(node.outputs.size());
  return outputs;
}

/// Double precision has to agree; half precision, which may round over a step, has to run.
void expect_alike(const OpExample& example, at::ScalarType type) {
  SCOPED_TRACE(c10::toString(type));
  const std::vector<at::Tensor> plain = outputs_in(example, at::kFloat);
  const std::vector<at::Tensor> outputs = outputs_in(example, type);
  ASSERT_EQ(outputs.size(), plain.size());
  for (size_t i = 0; i < plain.size(); ++i) {
    EXPECT_EQ(outputs[i].sizes(), plain[i].sizes());
    if (type != at::kDouble) continue;
    const Tensor ours = from_torch(outputs[i].to(plain[i].scalar_type()));
    EXPECT_LE(relative_error(ours, from_torch(plain[i])), kTolerance);
  }
}

TEST(OpContract, ComputesInEveryFloatType) {
  for (const OpExample& example : op_examples()) {
    SCOPED_TRACE(example.title());
    for (const at::ScalarType type : {at::kDouble, at::kHalf, at::kBFloat16}) {
      try {
        expect_alike(example, type);
      } catch (const std::exception& error) {
        ADD_FAILURE() << c10::toString(type) << ": " << first_line(error.what());
      }
    }
  }
}

TEST(OpContract, ReportsItsOwnName) {
  EXPECT_EQ(find_op("Median"), nullptr);
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
      {{"Median", "", {x({2, 3}), x({2, 3})}},
       Code::Unsupported,
       "node \"node\" (Median): this operator is not supported; 'octet inspect' names all such "
       "nodes"},
      {{"Relu", "", {x({2, 3})}, {{"alpha", 1.0F}}},
       Code::Unsupported,
       "node \"node\" (Relu): its attribute 'alpha' is not supported"},
      {{"Conv", "", {x({2, 3}), c({4, 3})}},
       Code::Unsupported,
       "node \"node\" (Conv): its input has rank 2; one to three spatial dimensions are supported"},
      {{"Conv", "", {x({2, 3, 4, 4, 4, 4}), c({4, 3, 3, 3, 3, 3})}},
       Code::Unsupported,
       "node \"node\" (Conv): its input has rank 6; one to three spatial dimensions are supported"},
      {{"Conv", "", {x({2, 3, 8, 8}), c({4, 3, 3})}},
       Code::Model,
       "node \"node\" (Conv): its weight has 1 spatial dimensions, its input 2"},
      {{"MaxPool", "", {x({2, 3, 8})}, {{"kernel_shape", L{2, 2}}}},
       Code::Model,
       "node \"node\" (MaxPool): 'kernel_shape' has 2 entries, wanted 1"},
      {{"MaxPool", "", {x({2, 3, 8})}},
       Code::Model,
       "node \"node\" (MaxPool): it has no 'kernel_shape'"},
      {{"LpPool", "", {x({2, 3, 8})}, {{"kernel_shape", L{2}}, {"strides", L{0}}}},
       Code::Model,
       "node \"node\" (LpPool): 'strides' holds 0; it has to be above 0"},
      {{"ConvTranspose", "", {x({2, 3, 8}), c({3, 4, 3})}, {{"output_shape", L{2, 2}}}},
       Code::Model,
       "node \"node\" (ConvTranspose): 'output_padding' or 'output_shape' has not 1 entries"},
      {{"GroupNormalization", "", {x({2, 4, 3}), c({4}), c({4})}, {{"num_groups", 3}}},
       Code::Model,
       "node \"node\" (GroupNormalization): num_groups is 3, which does not divide 4 channels"},
      {{"LayerNormalization", "", {x({2, 4}), c({4})}, {{"axis", 2}}},
       Code::Model,
       "node \"node\" (LayerNormalization): its axis is 2, its input has rank 2"},
      {{"LayerNormalization", "", {x({2, 4}), c({4})}, {{"stash_type", 7}}},
       Code::Unsupported,
       "node \"node\" (LayerNormalization): stash_type is 7; wanted the number of a float type"},
      {{"LRN", "", {x({2, 4, 3})}, {{"size", 0}}},
       Code::Model,
       "node \"node\" (LRN): size is 0; it has to be above 0"},
      {{"Conv", "", {x({2, 3, 8, 8}), c({4, 3, 3, 3})}, {{"strides", L{2}}}},
       Code::Model,
       "node \"node\" (Conv): 'strides' has 1 entries, wanted 2"},
      {{"Conv", "", {x({2, 3, 8, 8}), c({4, 3, 3, 3})}, {{"pads", L{1, 1}}}},
       Code::Model,
       "node \"node\" (Conv): 'pads' has 2 entries, wanted 4"},
      {{"Conv", "", {x({2, 3, 8, 8}), c({4, 3, 3, 3})}, {{"auto_pad", "SAME"}}},
       Code::Model,
       "node \"node\" (Conv): auto_pad is 'SAME'"},
      {{"Conv", "", {x({2, 3, 8, 8}), c({4, 3, 3, 3})}, {{"group", 1.0F}}},
       Code::Model,
       "node \"node\" (Conv): the attribute 'group' has an unexpected type"},
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
  set_foreign(nullptr);  // another test of this process may have let ONNX Runtime run such nodes
  for (const auto& [example, code, message] : refusals()) {
    EXPECT_EQ(tried(graph_of(example), example, code), message);
  }
}

}  // namespace
}  // namespace octet
