#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "api/deployment.h"
#include "base/file.h"
#include "base/text.h"
#include "dialects/dialect.h"
#include "eval/score.h"
#include "eval/simulated_session.h"
#include "formats/onnx/onnx_file.h"
#include "formats/tflite/writer.h"
#include "octet/octet.h"
#include "passes/passes.h"
#include "pipeline/twin_files.h"
#include "quant/calibrate.h"
#include "quant/solve.h"
#include "quant/widths.h"
#include "support/error_of.h"
#include "support/graph_builder.h"
#include "support/temp_folder.h"

namespace octet::test {

using L = std::vector<int64_t>;

/// A network on images of 3x6x6, whose constants are drawn.
class SmallNet {
 public:
  using Attributes = std::map<std::string, Attribute>;
  Graph graph;
  ValueId x = graph.add_input("x", DType::Float32, {-1, 3, 6, 6});

  ValueId op(const std::string& name, std::vector<ValueId> inputs, Attributes attributes = {}) {
    return graph.add_op(name, name + "_" + std::to_string(graph.order().size()), std::move(inputs),
                        std::move(attributes));
  }
  ValueId c(Shape shape, float low = -1, float high = 1) {
    return graph.add_constant("c", random_tensor(std::move(shape), ++seed_, low, high));
  }
  ValueId number(float value) { return graph.add_constant("c", Tensor::scalar(value)); }
  ValueId list(const L& values) { return graph.add_constant("c", Tensor::vector(values)); }
  ValueId index(int64_t value) {
    return graph.add_constant("c", Tensor::of<int64_t>({}, std::span<const int64_t>(&value, 1)));
  }
  /// Truth values, every third of them false.
  ValueId mask(Shape shape) {
    Tensor truth(DType::Bool, std::move(shape));
    for (size_t i = 0; i < truth.bytes.size(); ++i) truth.bytes[i] = std::byte{i % 3 != 1};
    return graph.add_constant("c", std::move(truth));
  }
  std::vector<ValueId> split(ValueId in, const L& sizes, int64_t axis) {
    Node node{.name = "Split_" + std::to_string(graph.order().size()),
              .op = "Split",
              .inputs = {in, list(sizes)},
              .outputs = {},
              .attributes = {{"axis", axis}}};
    for (size_t i = 0; i < sizes.size(); ++i) node.outputs.push_back(graph.add_value(node.name));
    const std::vector<ValueId> parts = node.outputs;
    graph.add_node(std::move(node));
    return parts;
  }
  /// From 3 channels to 4.
  ValueId conv(ValueId in) { return op("Conv", {in, c({4, 3, 3, 3}), c({4})}); }
  /// From 3 channels to any number, per pixel.
  ValueId mixed(ValueId in, int64_t channels = 3) {
    return op("Conv", {in, c({channels, 3, 1, 1})});
  }
  ValueId gemm(ValueId in) { return op("Gemm", {in, c({3, 4}), c({4})}); }

 private:
  unsigned seed_ = 0;
};

struct ParityCase {
  std::string name;
  ValueId (*build)(SmallNet& net);
  double onnx_steps = 0;    ///< largest difference to the simulation that is known and understood
  double tflite_steps = 1;  ///< TFLite rounds half away from zero, and by fixed-point multipliers
  std::vector<std::string> targets = {"onnxruntime-cpu", "tflite"};
  /// TFLite's reference kernels compute the network: they have no ELU, no TRANSPOSE of six
  /// dimensions, and a SUM that does nothing.
  bool reference = true;
  Scheme scheme = {};
  std::vector<std::string> overrides = {};
  bool in_float = false;  ///< ONNX Runtime is to compute some of it in float
};

inline void PrintTo(const ParityCase& held, std::ostream* out) { *out << held.name; }

/// Largest difference in steps of the output scale.
inline double steps_between(const std::vector<float>& a, const std::vector<float>& b, float scale) {
  EXPECT_EQ(a.size(), b.size());
  double worst = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(a[i] - b[i])) / scale);
  }
  return worst;
}

/// A network with all that quantization decided about it.
struct Quantized {
  Graph graph;
  Placement placement;
  QuantTable table;

  /// `data` holds the images of one batch of `count`.
  Quantized(Graph network, const std::vector<std::string>& names, std::span<const float> data,
            int64_t count, const Scheme& scheme = {}, std::span<const Override> overrides = {})
      : graph(std::move(network)) {
    const TargetSet targets(names);
    simplify(graph);
    lower(graph, [&](std::string_view op) { return targets.supports(op); });
    std::vector<Override> told(overrides.begin(), overrides.end());
    copy_between_widths(graph, targets, scheme, told, Io::Float);
    placement = place(graph, targets, scheme, {}, told);
    bool given = false;
    const auto next = [&](std::vector<float>& images) -> int64_t {
      if (std::exchange(given, true)) return 0;
      images.assign(data.begin(), data.end());
      return count;
    };
    table = solve(graph, placement, calibrate(graph, placement, next, {.observer = "minmax"}));
  }

  /// Of the output; where it is real, what float sums may differ by is the hundredth part.
  float step() const {
    const QuantParams* grid = table.find(graph.outputs()[0]);
    return grid ? grid->scale[0] : 0.01F;
  }
};

/// The file of one target against the simulation (at most `steps`) and against the target's exact
/// dialect (equal); and all of it in integers. `images` lie as the file wants them.
inline void check_file(const Quantized& net, const std::string& target,
                       std::span<const float> images, std::span<const float> graph_images,
                       int64_t count, double steps, bool in_float = false) {
  SCOPED_TRACE(target);
  const bool onnx = target == "onnxruntime-cpu";
  const TempFolder folder;
  const auto path = folder / (onnx ? "n.onnx" : "n.tflite");
  write_file(path, onnx ? write_onnx(net.graph, net.table) : write_tflite(net.graph, net.table));
  const auto logits = open_session(path, 1)->run(images, count);
  const auto simulated = simulate(net.graph, net.placement, net.table, 1)->run(graph_images, count);
  EXPECT_LE(steps_between(logits, simulated, net.step()), steps + 0.01) << "the simulation";
  const Dialect& dialect = onnx ? onnxruntime_dialect() : tflite_dialect();
  const auto exact =
      simulate(net.graph, net.placement, net.table, dialect, 1)->run(graph_images, count);
  EXPECT_LE(steps_between(logits, exact, net.step()), 0.01) << "the dialect";
  const auto still_float = inspect(path).still_float;
  EXPECT_EQ(!still_float.empty(), in_float) << join(still_float);
}

/// The TFLite file in TFLite's reference kernels, against their dialect.
inline void check_reference(const Quantized& net, std::span<const float> images,
                            std::span<const float> graph_images, int64_t count) {
  const TempFolder folder;
  write_file(folder / "n.tflite", write_tflite(net.graph, net.table));
  const auto deployed =
      open_tflite(folder / "n.tflite", 1, TfliteKernels::Reference)->run(images, count);
  const auto exact = simulate(net.graph, net.placement, net.table, tflite_reference_dialect(), 1)
                         ->run(graph_images, count);
  EXPECT_LE(steps_between(deployed, exact, net.step()), 0.01) << "TFLite's reference kernels";
}

/// Images of `channels` x `area` with the channels last.
inline std::vector<float> moved_last(std::span<const float> images, size_t channels, size_t area) {
  std::vector<float> moved;
  for (size_t image = 0; image < images.size() / (channels * area); ++image) {
    for (size_t pixel = 0; pixel < area; ++pixel) {
      for (size_t c = 0; c < channels; ++c) {
        moved.push_back(images[(image * channels + c) * area + pixel]);
      }
    }
  }
  return moved;
}

/// What the ONNX file in QDQ form computes, its twin in QOperator form computes to the same bits;
/// and so do the files that either of them is converted to.
inline void check_forms(const Quantized& net, const std::vector<std::string>& targets,
                        std::span<const float> images, int64_t count) {
  const TempFolder folder;
  write_file(folder / "qdq.onnx", write_onnx(net.graph, net.table));
  write_file(folder / "qoperator.onnx",
             write_onnx(net.graph, net.table, {.onnx = OnnxForm::QOperator}));
  const auto run = [&](const std::string& file, std::span<const float> laid) {
    return open_session(folder / file, 1)->run(laid, count);
  };
  const auto wanted = run("qdq.onnx", images);
  EXPECT_EQ(run("qoperator.onnx", images), wanted) << "the QOperator form";
  const bool lite = std::ranges::contains(targets, "tflite");
  if (lite) write_file(folder / "own.tflite", write_tflite(net.graph, net.table));
  for (const std::string from : {"qdq.onnx", "qoperator.onnx"}) {
    SCOPED_TRACE("converted from " + from);
    std::vector<std::filesystem::path> outputs{folder / "back.onnx"};
    if (lite) outputs.emplace_back(folder / "back.tflite");
    const ConvertResult result =
        convert(folder / from, outputs,
                {.targets = targets, .form = from == "qdq.onnx" ? "qoperator" : "qdq"});
    EXPECT_EQ(result.changes, std::vector<std::string>{});
    EXPECT_EQ(result.calibrated, 0);
    EXPECT_EQ(run("back.onnx", images), wanted) << "in ONNX Runtime";
    if (!lite) continue;
    const auto laid = moved_last(images, 3, 36);
    EXPECT_EQ(run("back.tflite", laid), run("own.tflite", laid)) << "in TFLite";
  }
}

/// The whole way for a case; its last layer is a Flatten, so that any value can be looked at as
/// "logits".
inline void check_parity(const ParityCase& held) {
  SmallNet small;
  const ValueId out = small.op("Flatten", {held.build(small)});
  small.graph.add_output(out);
  const Graph original = small.graph;
  const Tensor data = random_tensor({8, 3, 6, 6}, 31, -3, 3);
  const auto images = data.as<float>();
  const std::vector<Override> overrides = parse_overrides(held.overrides);
  const Quantized net(std::move(small.graph), held.targets, images, 8, held.scheme, overrides);
  for (const std::string& target : held.targets) {
    const bool onnx = target == "onnxruntime-cpu";
    const auto laid =
        onnx ? std::vector<float>(images.begin(), images.end()) : moved_last(images, 3, 36);
    check_file(net, target, laid, images, 8, onnx ? held.onnx_steps : held.tflite_steps,
               held.in_float);
    if (!onnx && held.reference) check_reference(net, laid, images, 8);
  }
  const TwinFiles files(net.graph, net.table, held.targets);
  files.check_minimal();
  files.check_adopted(original, held.scheme, overrides);
  if (held.targets.size() == 2) files.check_equal();
  if (!held.in_float && std::ranges::contains(held.targets, "onnxruntime-cpu")) {
    check_forms(net, held.targets, images, 8);
  }
}

}  // namespace octet::test
