#include "model_test.h"

#include <onnx/onnx_pb.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fstream>
#include <optional>

#include "base/fail.h"
#include "base/file.h"
#include "base/text.h"
#include "engine/executor.h"
#include "formats/onnx/onnx_file.h"
#include "formats/onnx/tensor_proto.h"

namespace octet::conformance {
namespace {

namespace fs = std::filesystem;

/// Those of onnx/backend/test/runner, and of data/real/*/data.json for the light networks.
constexpr double kRelative = 1e-3;
constexpr double kRelativeDensenet = 2e-3;
constexpr double kRelativeBFloat16 = 1.0 / 64;  ///< two units in the last place
constexpr double kAbsolute = 1e-7;
constexpr unsigned kSecondsPerModel = 60;

template <class Proto>
Proto parse(const fs::path& path) {
  const auto bytes = read_file(path, Code::Model);
  Proto proto;
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    fail(Code::Model, "{} cannot be parsed", path.string());
  }
  return proto;
}

/// The operator of a model that has but one, besides constants.
std::optional<std::string> only_operator(const fs::path& path) {
  std::optional<std::string> found;
  const auto model = parse<onnx::ModelProto>(path);
  for (const auto& node : model.graph().node()) {
    if (node.op_type() == "Constant" && model.graph().node_size() > 1) continue;
    if (found) return std::nullopt;
    found = node.domain().empty() ? node.op_type() : node.domain() + "." + node.op_type();
  }
  return found;
}

/// An operator's body ("test_gelu_1_expanded") counts for the operator, which the test beside it
/// has.
std::string group_of(const fs::path& model, const std::string& name) {
  const std::string folder = model.parent_path().filename().string();
  if (const size_t at = folder.find("_expanded"); at != std::string::npos) {
    const fs::path whole = model.parent_path().parent_path() / folder.substr(0, at) / "model.onnx";
    if (fs::exists(whole)) return only_operator(whole).value_or(name);
  }
  return only_operator(model).value_or(name);
}

std::vector<Tensor> read_tensors(const fs::path& folder, std::string_view prefix) {
  std::vector<Tensor> tensors;
  for (int i = 0;; ++i) {
    const fs::path file = folder / std::format("{}_{}.pb", prefix, i);
    if (!fs::exists(file)) return tensors;
    tensors.push_back(read_tensor(parse<onnx::TensorProto>(file), folder));
  }
}

/// What ONNX's runner gives to the networks without weights: i / n at element i of n.
Tensor ramp(Shape shape) {
  for (int64_t& dim : shape) dim = std::max<int64_t>(dim, 1);
  Tensor tensor(DType::Float32, std::move(shape));
  const auto values = tensor.as<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(static_cast<double>(i) / static_cast<double>(values.size()));
  }
  return tensor;
}

struct DataSet {
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
};

std::vector<DataSet> data_sets(const fs::path& model, const Graph& graph) {
  std::vector<DataSet> sets;
  for (int i = 0;; ++i) {
    const fs::path folder = model.parent_path() / std::format("test_data_set_{}", i);
    if (!fs::is_directory(folder)) break;
    sets.push_back({read_tensors(folder, "input"), read_tensors(folder, "output")});
  }
  if (!sets.empty()) return sets;
  DataSet set;
  for (const ValueId id : graph.inputs()) set.inputs.push_back(ramp(graph.value(id).shape));
  set.outputs = read_tensors(model.parent_path(), model.stem().string() + "_output");
  return {set};
}

std::string type_of(const Tensor& tensor) {
  return std::format("{}[{}]", name_of(tensor.dtype), shape_text(tensor.shape));
}

double relative_tolerance(const ModelTest& test, DType type) {
  if (type == DType::BFloat16) return kRelativeBFloat16;
  return test.name.contains("densenet121") ? kRelativeDensenet : kRelative;
}

/// Why the output is not the stored one; nullopt when it is.
std::optional<std::string> difference(const at::Tensor& result, const Tensor& wanted,
                                      double relative) {
  const Tensor given = from_torch(result);
  if (given.dtype != wanted.dtype || given.shape != wanted.shape) {
    return std::format("{}, wanted {}", type_of(given), type_of(wanted));
  }
  const at::Tensor ours = result.to(at::kDouble).contiguous();
  const at::Tensor theirs = to_torch(wanted).to(at::kDouble).contiguous();
  int64_t wrong = 0;
  std::string first;
  for (int64_t i = 0; i < ours.numel(); ++i) {
    const double a = ours.const_data_ptr<double>()[i];
    const double b = theirs.const_data_ptr<double>()[i];
    const bool same = a == b || (std::isnan(a) && std::isnan(b)) ||
                      (std::isfinite(b) && std::abs(a - b) <= kAbsolute + relative * std::abs(b));
    if (same) continue;
    if (wrong++ == 0) first = std::format("element {} is {}, wanted {}", i, a, b);
  }
  if (wrong == 0) return std::nullopt;
  return std::format("{} of {} elements differ: {}", wrong, ours.numel(), first);
}

Result compare(const ModelTest& test, const std::vector<at::Tensor>& results,
               const std::vector<Tensor>& wanted) {
  if (wanted.empty()) return {Outcome::Failed, "no output is stored"};
  if (results.size() != wanted.size()) {
    return {Outcome::Failed, std::format("{} outputs, wanted {}", results.size(), wanted.size())};
  }
  for (size_t i = 0; i < results.size(); ++i) {
    const double relative = relative_tolerance(test, wanted[i].dtype);
    if (const auto reason = difference(results[i], wanted[i], relative)) {
      return {Outcome::Failed, std::format("output {}: {}", i, *reason)};
    }
  }
  return {};
}

std::string read_all(int from) {
  std::string text;
  std::array<char, 4096> part;
  for (ssize_t got = 0; (got = read(from, part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<size_t>(got));
  }
  return text;
}

/// The child's side: the outcome's letter and the reason go through the pipe.
[[noreturn]] void answer(const ModelTest& test, int to) {
  alarm(kSecondsPerModel);
  const Result result = run_model(test);
  const std::string text = static_cast<char>(result.outcome) + result.reason;
  const bool written = write(to, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  _exit(written ? 0 : 1);
}

}  // namespace

std::vector<ModelTest> find_models(const fs::path& root) {
  std::vector<ModelTest> tests;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const fs::path& path = entry.path();
    if (path.extension() != ".onnx") continue;
    const bool folder = path.filename() == "model.onnx";
    std::string name =
        fs::relative(folder ? path.parent_path() : path, root).replace_extension().string();
    std::string group = group_of(path, name);
    tests.push_back({path, std::move(name), std::move(group)});
  }
  std::ranges::sort(tests, {}, &ModelTest::name);
  return tests;
}

Result run_model(const ModelTest& test) try {
  const Graph graph = read_onnx(test.model);
  Executor executor(graph);
  for (const DataSet& set : data_sets(test.model, graph)) {
    std::vector<at::Tensor> inputs;
    for (const Tensor& tensor : set.inputs) inputs.push_back(to_torch(tensor));
    Interpretation plain;
    const Result result = compare(test, executor.run(inputs, plain), set.outputs);
    if (result.outcome != Outcome::Passed) return result;
  }
  return {};
} catch (const Error& error) {
  return {error.code() == Code::Unsupported ? Outcome::Unsupported : Outcome::Failed,
          first_line(error.what())};
} catch (const std::exception& error) {
  return {Outcome::Failed, first_line(error.what())};
}

Result run_apart(const ModelTest& test) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) fail(Code::Io, "no pipe: {}", std::strerror(errno));
  const pid_t child = fork();
  if (child < 0) fail(Code::Io, "no process: {}", std::strerror(errno));
  if (child == 0) {
    close(ends[0]);
    answer(test, ends[1]);
  }
  close(ends[1]);
  const std::string text = read_all(ends[0]);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) {
    return {Outcome::Failed, std::format("ended by {}", sigdescr_np(WTERMSIG(status)))};
  }
  if (text.empty()) return {Outcome::Failed, "ended without an answer"};
  return {static_cast<Outcome>(text[0]), text.substr(1)};
}

}  // namespace octet::conformance
