#include "api/stages.h"

#include <algorithm>

#include "api/foreign.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/text.h"
#include "engine/executor.h"
#include "formats/onnx/onnx_file.h"
#include "formats/tflite/writer.h"
#include "quant/calibrate.h"
#include "quant/solve.h"

namespace octet {

Split split(const Dataset& dataset, double validation, uint64_t seed) {
  std::vector<int64_t> order = permutation(dataset.size(), seed);
  const auto held = static_cast<std::ptrdiff_t>(validation * static_cast<double>(dataset.size()));
  return {{order.begin() + held, order.end()}, {order.begin(), order.begin() + held}};
}

std::unique_ptr<Dataset> open_part(const std::optional<DataSource>& source, std::string_view part) {
  if (!source) {
    fail(Code::Recipe,
         "the data description has no '{}' images, which this needs; add '{}: {{...}}'", part,
         part);
  }
  return open_dataset(*source);
}

namespace {

/// The operators' shapes come from running them, and that wants images of a known size.
void check_image_sizes(const std::filesystem::path& model, const Value& input) {
  const auto images = std::span(input.shape).subspan(1);
  if (input.shape[0] == 0 || std::ranges::contains(images, 0)) {
    fail(Code::Model, "{}: its input '{}' has the shape {}; wanted no dimension of 0",
         model.string(), input.name, shape_text(input.shape));
  }
  if (std::ranges::none_of(images, [](int64_t size) { return size < 0; })) return;
  Shape usual{input.shape[0], 3, 224, 224};
  for (size_t d = 1; d < usual.size(); ++d) {
    if (input.shape[d] > 0) usual[d] = input.shape[d];
  }
  fail(Code::Model,
       "{}: its input '{}' has the shape {}, in which only the first N (the batch) may be open; "
       "give "
       "the size of the images, such as --shape {}={} (in a recipe, 'shape: {}')",
       model.string(), input.name, shape_text(input.shape), input.name, shape_text(usual),
       shape_text(usual));
}

/// Rounding what is rounded already would only lose.
void refuse_quantized(const Graph& graph, const std::filesystem::path& model) {
  for (const NodeId id : graph.order()) {
    const Node& node = graph.node(id);
    if (node.op != "QuantizeLinear" && node.op != "DequantizeLinear") continue;
    fail(Code::Unsupported,
         "{}: it is quantized already, by {}; 'octet convert' carries its parameters over",
         model.string(), describe(node));
  }
}

}  // namespace

Graph read_network(const std::filesystem::path& model, std::span<const InputShape> shapes) {
  run_foreign_nodes();
  Graph graph = read_onnx(model, shapes);
  refuse_quantized(graph, model);
  check_images(graph, model);
  return graph;
}

void check_images(const Graph& graph, const std::filesystem::path& model) {
  if (graph.inputs().size() != 1 || graph.outputs().size() != 1) {
    fail(Code::Unsupported,
         "{} has {} inputs and {} outputs; wanted one input of images and one "
         "output of logits",
         model.string(), graph.inputs().size(), graph.outputs().size());
  }
  const Value& input = graph.value(graph.inputs()[0]);
  if (input.dtype != DType::Float32 || input.shape.size() != 4) {
    fail(Code::Unsupported, "{}: its input '{}' is {}[{}]; wanted float32 images, NxCxHxW",
         model.string(), input.name, name_of(input.dtype), shape_text(input.shape));
  }
  check_image_sizes(model, input);
}

void check_input(const Graph& graph, const Dataset& dataset) {
  const Shape& shape = graph.value(graph.inputs().at(0)).shape;
  const Shape images = dataset.shape();
  if (!std::ranges::equal(std::span(shape).subspan(1), images)) {
    fail(Code::Data,
         "the images are {}, the network wants {}; set 'size' and 'channels' in the "
         "data description, or use other data",
         shape_text(images), shape_text(std::span(shape).subspan(1)));
  }
}

namespace {

/// Neither a grid nor an integer kernel has a meaning for a value without elements.
void refuse_empty_values(const Graph& graph) {
  for (const NodeId id : graph.order()) {
    for (const ValueId out : graph.node(id).outputs) {
      if (out == kAbsent || !std::ranges::contains(graph.value(out).shape, 0)) continue;
      fail(Code::Model, "{}: its output '{}' has the shape {}; wanted no dimension of 0",
           describe(graph.node(id)), graph.value(out).name, shape_text(graph.value(out).shape));
    }
  }
}

}  // namespace

QuantizedNetwork quantize_network(Graph graph, const TargetSet& targets, const Dataset& dataset,
                                  const Split& split, const CalibrationSettings& settings,
                                  const ProgressSink& progress) {
  QuantizedNetwork network{
      .graph = std::move(graph), .placement = {}, .table = {}, .log = {}, .in_float = {}};
  check_input(network.graph, dataset);  // before anything of that size is computed
  network.log = simplify(network.graph);
  refuse_empty_values(network.graph);
  const auto supported = [&](std::string_view op) { return targets.supports(op); };
  std::ranges::move(lower(network.graph, supported), std::back_inserter(network.log));
  network.placement = place(network.graph, targets);
  network.in_float = what_stays_in_float(network.graph, network.placement, targets);

  CalibrationImages images(dataset, split, settings, progress);
  const NextImages next = [&](std::vector<float>& batch) { return images.next(batch); };
  const Ranges ranges = calibrate(network.graph, network.placement, next, settings);
  network.table = solve(network.graph, network.placement, ranges);
  return network;
}

CalibrationImages::CalibrationImages(const Dataset& dataset, const Split& split,
                                     const CalibrationSettings& settings,
                                     const ProgressSink& progress)
    : count_(std::min(settings.images, static_cast<int64_t>(split.train.size()))),
      reader_(dataset, {split.train.begin(), split.train.begin() + count_},
              {.size = settings.batch}),
      step_(progress, "calibrate", count_, "images") {}

int64_t CalibrationImages::next(std::vector<float>& images) {
  if (batch_.count > 0) step_.advance(batch_.count);
  if (!reader_.next(batch_)) return 0;
  images = batch_.images;
  return batch_.count;
}

std::vector<std::string> what_stays_in_float(const Graph& graph, const Placement& placement,
                                             const TargetSet& targets) {
  std::vector<std::string> lines;
  for (const auto& [id, reason] : placement.in_float) {
    lines.push_back(std::format("{} stays in float, because {}", describe(graph.node(id)), reason));
    for (const TargetProfile* target : targets.profiles()) {
      if (target->float_between) continue;
      fail(Code::Unsupported, "{}: {}; a {} file has no float between its integers",
           describe(graph.node(id)), reason, target->format);
    }
  }
  return lines;
}

std::vector<std::byte> quantized_file(const QuantizedNetwork& network,
                                      const std::filesystem::path& path, OnnxForm form) {
  if (path.extension() == ".onnx") return write_onnx(network.graph, network.table, form);
  if (path.extension() == ".tflite") return write_tflite(network.graph, network.table);
  fail(Code::Usage, "{}: the format is told by the extension; wanted .onnx or .tflite",
       path.string());
}

}  // namespace octet
