#include "network_check.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <format>
#include <fstream>
#include <iterator>

#include "base/fail.h"
#include "base/file.h"
#include "base/text.h"
#include "data/dataset.h"
#include "engine/cost.h"
#include "engine/executor.h"
#include "eval/simulated_session.h"
#include "formats/onnx/onnx_file.h"
#include "formats/tflite/writer.h"
#include "octet/octet.h"
#include "passes/passes.h"
#include "quant/calibrate.h"
#include "quant/solve.h"
#include "runtime/session.h"

namespace octet::conformance {
namespace {

constexpr int64_t kCalibrated = 32;
constexpr int64_t kCompared = 4;
constexpr double kRelativeError = 1e-4;
constexpr double kOnnxSqnr = 30;
constexpr double kTfliteSqnr = 25;
constexpr const char* kText = "/usr/share/common-licenses/GPL-3";
constexpr const char* kImages = "/usr/share/datasets/fashion-mnist/";

/// Images of clothes enlarged to what the network takes, in as many equal channels; or, where it
/// takes tokens, the letters of a text.
std::vector<float> inputs_for(const Graph& graph, int64_t first, int64_t count) {
  const Value& input = graph.value(graph.inputs().at(0));
  std::vector<float> numbers;
  if (input.dtype == DType::Int64) {
    std::ifstream file(kText);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const int64_t length = input.shape.at(1);
    for (int64_t i = first * length; i < (first + count) * length; ++i) {
      numbers.push_back(static_cast<float>(text.at(static_cast<size_t>(i)) & 0x7F));
    }
    return numbers;
  }
  const std::string root = kImages;
  const auto dataset = open_dataset({.format = "idx",
                                     .images = root + "t10k-images-idx3-ubyte.gz",
                                     .labels = root + "t10k-labels-idx1-ubyte.gz",
                                     .mean = {0.286F},
                                     .deviation = {0.353F},
                                     .height = input.shape.at(2),
                                     .width = input.shape.at(3)});
  std::vector<float> grey(static_cast<size_t>(input.shape[2] * input.shape[3]));
  for (int64_t i = first; i < first + count; ++i) {
    dataset->image(i, grey);
    for (int64_t c = 0; c < input.shape[1]; ++c) {
      numbers.insert(numbers.end(), grey.begin(), grey.end());
    }
  }
  return numbers;
}

std::vector<float> execute(const Graph& graph, const std::vector<float>& inputs, int64_t count) {
  const at::NoGradGuard no_grad;
  const Value& input = graph.value(graph.inputs().at(0));
  Shape shape = input.shape;
  shape.at(0) = count;
  at::Tensor batch = to_torch(Tensor::of<float>(shape, inputs));
  if (input.dtype == DType::Int64) batch = batch.to(at::kLong);
  Interpretation plain;
  const Tensor out = from_torch(Executor(graph).run({&batch, 1}, plain).at(0));
  return {out.as<float>().begin(), out.as<float>().end()};
}

double relative_error(const std::vector<float>& ours, const std::vector<float>& theirs) {
  double worst = 0;
  double largest = 1e-30;
  for (size_t i = 0; i < theirs.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(ours.at(i)) - theirs[i]));
    largest = std::max(largest, std::abs(static_cast<double>(theirs[i])));
  }
  return worst / largest;
}

/// 10 log10(sum theirs^2 / sum (ours - theirs)^2).
double sqnr(const std::vector<float>& ours, const std::vector<float>& theirs) {
  double signal = 0;
  double noise = 0;
  for (size_t i = 0; i < theirs.size(); ++i) {
    const double gap = static_cast<double>(ours.at(i)) - theirs[i];
    signal += static_cast<double>(theirs[i]) * theirs[i];
    noise += gap * gap;
  }
  return 10 * std::log10(signal / noise);
}

/// Largest spread of an output over the inputs, against the largest output.
double variation(const std::vector<float>& logits, int64_t count) {
  const size_t classes = logits.size() / static_cast<size_t>(count);
  double spread = 0;
  double largest = 1e-30;
  for (size_t i = 0; i < logits.size(); ++i) {
    spread = std::max(spread, std::abs(static_cast<double>(logits[i]) - logits[i % classes]));
    largest = std::max(largest, std::abs(static_cast<double>(logits[i])));
  }
  return spread / largest;
}

/// Channels last, where the file wants images so.
std::vector<float> for_tflite(const Graph& graph, const std::vector<float>& inputs) {
  const Shape& shape = graph.value(graph.inputs().at(0)).shape;
  if (shape.size() != 4) return inputs;
  const auto channels = static_cast<size_t>(shape[1]);
  const auto pixels = static_cast<size_t>(shape[2] * shape[3]);
  std::vector<float> moved(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const size_t image = i / (channels * pixels);
    const size_t c = i / pixels % channels;
    moved[(image * pixels + i % pixels) * channels + c] = inputs[i];
  }
  return moved;
}

class Check {
 public:
  Check(const std::filesystem::path& model, const std::filesystem::path& folder)
      : model_(model), folder_(folder) {
    row_.name = model.stem().string();
  }

  NetworkRow run() {
    try {
      stages();
      judge();
    } catch (const Error& error) {
      row_.failure = first_line(error.what());
    }
    return row_;
  }

 private:
  void stages() {
    graph_ = read_onnx(model_);
    inputs_ = inputs_for(graph_, kCalibrated, kCompared);
    const auto reference = open_session(model_, 0)->run(inputs_, kCompared);
    if (variation(reference, kCompared) < 1e-3) {
      fail(Code::Numeric, "its outputs do not depend on its inputs");
    }
    row_.imported = relative_error(execute(graph_, inputs_, kCompared), reference);
    simplify(graph_);
    const Cost cost = cost_of(graph_);
    row_.parameters = cost.parameters;
    row_.multiply_adds = cost.multiply_adds;
    row_.fused = relative_error(execute(graph_, inputs_, kCompared), reference);
    quantize();
    const auto onnx = compare(onnx_file(), write_onnx(graph_, table_), onnxruntime_dialect(),
                              inputs_, row_.onnx_sqnr);
    row_.float_sqnr = sqnr(onnx, reference);
    const auto lite = compare(tflite_file(), write_tflite(graph_, table_), tflite_dialect(),
                              for_tflite(graph_, inputs_), row_.tflite_sqnr);
    row_.twin_sqnr = sqnr(lite, onnx);
    look_at_files();
  }

  void quantize() {
    const std::vector<std::string> names{"onnxruntime-cpu", "tflite"};
    const TargetSet targets(names);
    lower(graph_, [&](std::string_view op) { return targets.supports(op); });
    placement_ = place(graph_, targets);
    int64_t done = 0;
    const auto next = [&](std::vector<float>& images) -> int64_t {
      if (done == kCalibrated) return 0;
      images = inputs_for(graph_, done, 8);
      done += 8;
      return 8;
    };
    table_ = solve(graph_, placement_, calibrate(graph_, placement_, next, {.observer = "minmax"}));
  }

  /// The deployed file's outputs; `found`: their SQNR against its dialect.
  std::vector<float> compare(const std::filesystem::path& path, const std::vector<std::byte>& bytes,
                             const Dialect& dialect, const std::vector<float>& given,
                             double& found) const {
    write_file(path, bytes);
    const auto deployed = open_session(path, 0)->run(given, kCompared);
    const auto simulated =
        simulate(graph_, placement_, table_, dialect, 0)->run(inputs_, kCompared);
    found = sqnr(simulated, deployed);
    return deployed;
  }

  void look_at_files() {
    for (const auto& path : {onnx_file(), tflite_file()}) {
      const Inspection seen = inspect(path);
      for (const std::string& name : seen.still_float) {
        row_.in_float.push_back(seen.format + " " + name);
      }
      if (seen.format != "TFLite") continue;
      for (const OperatorRow& op : seen.executed) {
        if (op.op == "TRANSPOSE") row_.transposes += op.count;
      }
    }
  }

  void judge() {
    std::vector<std::string> broken;
    if (row_.imported > kRelativeError) broken.emplace_back("import");
    if (row_.fused > kRelativeError) broken.emplace_back("fusion");
    if (!(row_.onnx_sqnr >= kOnnxSqnr)) broken.emplace_back("ONNX Runtime");
    if (!(row_.tflite_sqnr >= kTfliteSqnr)) broken.emplace_back("TFLite");
    if (!row_.in_float.empty()) broken.push_back("in float: " + join(row_.in_float));
    row_.failure = join(broken);
  }

  std::filesystem::path onnx_file() const { return folder_ / (row_.name + ".int8.onnx"); }
  std::filesystem::path tflite_file() const { return folder_ / (row_.name + ".int8.tflite"); }

  std::filesystem::path model_;
  std::filesystem::path folder_;
  NetworkRow row_;
  Graph graph_;
  std::vector<float> inputs_;
  Placement placement_;
  QuantTable table_;
};

}  // namespace

NetworkRow check_network(const std::filesystem::path& model, const std::filesystem::path& folder) {
  return Check(model, folder).run();
}

}  // namespace octet::conformance
