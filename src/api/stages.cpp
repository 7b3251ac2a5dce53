#include "api/stages.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>

#include "api/bad_images.h"
#include "api/calibration_file.h"
#include "api/calibration_report.h"
#include "api/foreign.h"
#include "api/methods.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/text.h"
#include "engine/executor.h"
#include "formats/onnx/network_file.h"
#include "formats/onnx/onnx_file.h"
#include "formats/tflite/writer.h"
#include "graph/fingerprint.h"
#include "quant/calibrate.h"
#include "quant/channels/prepared.h"
#include "quant/dynamic.h"
#include "quant/observer.h"
#include "quant/ratio.h"
#include "quant/saturation.h"
#include "quant/scheme_text.h"
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
  Shape usual =
      input.shape.size() == 2 ? Shape{input.shape[0], 64} : Shape{input.shape[0], 3, 224, 224};
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

bool reads_tokens(const Graph& graph) {
  const Value& input = graph.value(graph.inputs().at(0));
  return input.dtype == DType::Int64 && input.shape.size() == 2;
}

void check_images(const Graph& graph, const std::filesystem::path& model) {
  if (graph.inputs().size() != 1 || graph.outputs().size() != 1) {
    fail(Code::Unsupported,
         "{} has {} inputs and {} outputs; wanted one input of images and one "
         "output of logits",
         model.string(), graph.inputs().size(), graph.outputs().size());
  }
  const Value& input = graph.value(graph.inputs()[0]);
  if (!reads_tokens(graph) && (input.dtype != DType::Float32 || input.shape.size() != 4)) {
    fail(Code::Unsupported,
         "{}: its input '{}' is {}[{}]; wanted float32 images, NxCxHxW, or int64 tokens, NxT",
         model.string(), input.name, name_of(input.dtype), shape_text(input.shape));
  }
  check_image_sizes(model, input);
}

void check_input(const Graph& graph, const Dataset& dataset) {
  const Shape& shape = graph.value(graph.inputs().at(0)).shape;
  const Shape images = dataset.shape();
  if (!std::ranges::equal(std::span(shape).subspan(1), images)) {
    if (images.size() == 1) {
      fail(Code::Data,
           "the sequences have {} tokens, the network wants {}; set 'length' in the data "
           "description, or use other data",
           images[0], shape_text(std::span(shape).subspan(1)));
    }
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

std::vector<std::string> lines_in_float(const Graph& graph, const Placement& placement) {
  std::vector<std::string> lines;
  for (const auto& [id, reason] : placement.in_float) {
    lines.push_back(std::format("{} stays in float, because {}", describe(graph.node(id)), reason));
  }
  return lines;
}

QuantizedNetwork place_network(Graph graph, const Deployment& deployment, const Prepare& prepare) {
  QuantizedNetwork network{.graph = std::move(graph),
                           .placement = {},
                           .table = {},
                           .log = {},
                           .in_float = {},
                           .targets = deployment.targets.names(),
                           .form = deployment.form,
                           .ends = {},
                           .methods = {},
                           .calibration = {}};
  network.log = simplify(network.graph);
  refuse_empty_values(network.graph);
  if (prepare) {
    const PreparedStructure fused(network.graph);
    prepare(network.graph, network.methods);
    network.prepared = fused.changes(network.graph);
  }
  const auto supported = [&](std::string_view op) { return deployment.targets.supports(op); };
  std::ranges::move(lower(network.graph, supported), std::back_inserter(network.log));
  network.overrides = deployment.overrides;
  network.placement = place(network.graph, deployment.targets, deployment.scheme, {},
                            deployment.overrides, deployment.form.io);
  network.in_float = lines_in_float(network.graph, network.placement);
  return network;
}

void refuse_float(const QuantizedNetwork& network, const TargetSet& targets) {
  for (const auto& [id, reason] : network.placement.in_float) {
    for (const TargetProfile* target : targets.profiles()) {
      if (target->float_between) continue;
      fail(Code::Unsupported, "{}: {}; a {} file has no float between its integers",
           describe(network.graph.node(id)), reason, target->format);
    }
  }
}

std::string pixels_of_input(QuantizedNetwork& network, const DataSource& source) {
  if (network.placement.scheme.scales == Scheme::Scales::PowerOfTwo) {
    return "; raw pixels are not its integers, because scales are powers of two";
  }
  const auto grid = pixel_grid(source);
  if (grid && grid->zero_point != 0 &&
      network.placement.scheme.activations == Scheme::Activations::Symmetric) {
    return "; raw pixels are not its integers, because activations are symmetric";
  }
  const std::string why = grid ? fix_input(network.graph, network.placement, *grid) : grid.error();
  if (!why.empty()) return std::format("; raw pixels are not its integers, because {}", why);
  return network.form.io == Io::UInt8 ? ", which are the raw pixels"
                                      : ", which are the raw pixels less 128";
}

namespace {

/// "+ 3" or "- 3".
std::string signed_text(int32_t number) {
  return std::format("{} {}", number < 0 ? '-' : '+', std::abs(number));
}

void describe_ends(QuantizedNetwork& network, const std::string& pixels) {
  const std::string_view type = network.form.io == Io::UInt8 ? "uint8" : "int8";
  for (const ValueId id : network.graph.inputs()) {
    const QuantParams grid = end_grid(network.table.at(id, network.graph), network.form.io);
    network.ends.push_back(std::format("the input '{}' is {}: round(real / {}) {}{}",
                                       network.graph.value(id).name, type, grid.scale[0],
                                       signed_text(grid.zero_point[0]), pixels));
  }
  for (const ValueId id : network.graph.outputs()) {
    const QuantParams grid = end_grid(network.table.at(id, network.graph), network.form.io);
    network.ends.push_back(std::format("the output '{}' is {}: real = {} * (integer {})",
                                       network.graph.value(id).name, type, grid.scale[0],
                                       signed_text(-grid.zero_point[0])));
  }
}

}  // namespace

namespace {

/// Of large images few are read at a time, so that they stay a small part of the memory.
int64_t batch_of(const Shape& image) {
  constexpr uint64_t kElements = 3'000'000;
  const auto fit = kElements / static_cast<uint64_t>(element_count(image));
  return static_cast<int64_t>(std::bit_floor(std::clamp<uint64_t>(fit, 1, 64)));
}

}  // namespace

ImageStream::ImageStream(const Dataset& dataset, const Split& split,
                         const CalibrationSettings& settings, const ProgressSink& progress)
    : dataset_(dataset),
      split_(split),
      skip_bad_(settings.skip_bad_images),
      count_(std::min(settings.images, static_cast<int64_t>(split.train.size()))),
      reader_(dataset, {split.train.begin(), split.train.begin() + count_},
              {.size = settings.batch > 0 ? settings.batch : batch_of(dataset.shape())}),
      step_(progress, "calibrate", count_, "images") {}

int64_t ImageStream::next(std::vector<float>& images) {
  if (batch_.count > 0) step_.advance(batch_.count);
  if (!reader_.next(batch_)) return 0;
  images = batch_.images;
  return batch_.count;
}

BadImages ImageStream::bad_images() const {
  return {.skip = skip_bad_, .name = [this](int64_t number) {
            return dataset_.name(split_.train.at(static_cast<size_t>(number)));
          }};
}

namespace {

/// The magnitudes of all float constants that are read, added up: another number where a method
/// that looks at images saw others, and hardly moved by how floats are rounded.
double sum_of_constants(const Graph& graph) {
  double sum = 0;
  for (const NodeId id : graph.order()) {
    for (size_t i = 0; i < graph.node(id).inputs.size(); ++i) {
      const Tensor* constant = graph.constant_input(graph.node(id), i);
      if (!constant || constant->dtype != DType::Float32) continue;
      for (const float number : constant->as<float>()) sum += std::abs(number);
    }
  }
  return sum;
}

/// What learns on its grids may leave a scale that is no power of two.
void refuse_methods(std::span<const Method* const> methods, const Scheme& scheme) {
  const bool powers = scheme.scales == Scheme::Scales::PowerOfTwo;
  if (!powers && scheme.weight_range == Scheme::WeightRange::Narrow) return;
  for (const Method* method : methods) {
    if (!method->free_grids) continue;
    fail(Code::Usage, "the method '{}' wants scales of any size and narrow weights; leave out '{}'",
         method->name, powers ? "power-of-two" : "full");
  }
}

/// The placed network, nothing observed yet.
ObservedNetwork prepared(Graph graph, const Deployment& deployment,
                         const CalibrationSettings& settings, const CalibrationImages* images,
                         const ProgressSink& progress) {
  observer_named(settings);  // before the work, not after it
  const auto methods = methods_named(settings.methods, images != nullptr);
  refuse_methods(methods, deployment.scheme);
  std::string print = fingerprint(graph);
  const Prepare prepare = [&](Graph& fused, std::vector<std::string>& notes) {
    for (const Method* method : methods) {
      if (!method->prepare) continue;
      method->prepare(fused, {images, settings, progress, notes});
      print += std::format(" with {} ({:.6g})", method->name, sum_of_constants(fused));
    }
  };
  ObservedNetwork observed{.network = place_network(std::move(graph), deployment, prepare),
                           .seen = {.sketches = {}, .network = std::move(print)},
                           .held = {},
                           .pixels = {}};
  refuse_float(observed.network, deployment.targets);
  return observed;
}

Calibration look_at(const QuantizedNetwork& network, const CalibrationImages& images,
                    const CalibrationSettings& settings, const ProgressSink& progress) {
  ImageStream stream(images.dataset, images.split, settings, progress);
  const NextImages next = [&](std::vector<float>& batch) { return stream.next(batch); };
  return observe(network.graph, network.placement, next, stream.bad_images());
}

/// The look at images that the ranges are tried on.
Calibration look_at_held(const QuantizedNetwork& network, const CalibrationImages& images,
                         CalibrationSettings settings) {
  settings.images = settings.held_back;
  const Split held{.train = images.split.validation, .validation = {}};
  if (settings.images == 0 || held.train.empty()) return {};
  const ProgressSink quiet;
  return look_at(network, {images.dataset, images.source, held}, settings, quiet);
}

}  // namespace

ObservedNetwork observe_network(Graph graph, const Deployment& deployment,
                                const CalibrationImages& images,
                                const CalibrationSettings& settings, const ProgressSink& progress) {
  check_input(graph, images.dataset);  // before anything of that size is computed
  ObservedNetwork observed = prepared(std::move(graph), deployment, settings, &images, progress);
  QuantizedNetwork& network = observed.network;
  if (deployment.form.io != Io::Float) observed.pixels = pixels_of_input(network, images.source);

  Calibration seen = look_at(network, images, settings, progress);
  seen.network = std::move(observed.seen.network);
  observed.seen = std::move(seen);
  observed.held = look_at_held(network, images, settings);
  const Split good = without_skipped(images.split, observed.seen);
  observed.batch_effect = effect_of_batch(network.graph, {images.dataset, images.source, good});
  if (!images.keep.empty()) {
    write_calibration(images.keep, network.graph, network.placement, observed.seen);
  }
  return observed;
}

ObservedNetwork observe_network(Graph graph, const Deployment& deployment,
                                std::span<const std::filesystem::path> kept,
                                const CalibrationSettings& settings,
                                const CalibrationImages* images, const ProgressSink& progress) {
  ObservedNetwork observed = prepared(std::move(graph), deployment, settings, images, progress);
  const QuantizedNetwork& network = observed.network;
  for (const auto& path : kept) {
    observed.seen.merge(
        read_calibration(path, network.graph, network.placement, observed.seen.network));
  }
  if (images) observed.held = look_at_held(network, *images, settings);
  if (deployment.form.io != Io::Float) {
    observed.pixels = "; raw pixels are not its integers, because no data tells mean and deviation";
  }
  return observed;
}

QuantizedNetwork solve_network(ObservedNetwork observed, const Deployment& deployment,
                               const CalibrationSettings& settings, const CalibrationImages* images,
                               const ProgressSink& progress) {
  QuantizedNetwork network = std::move(observed.network);
  const Ranges ranges = choose_ranges(network.placement, observed.seen, settings);
  network.table = solve(network.graph, network.placement, ranges);
  check_ratios(network.graph, network.table, deployment.targets);
  Split parts;
  std::optional<CalibrationImages> good;
  if (images) {
    parts = without_skipped(images->split, observed.seen);
    good.emplace(images->dataset, images->source, parts);
  }
  const auto methods = methods_named(settings.methods, images != nullptr);
  const Graph reference = methods.empty() ? Graph() : network.graph;
  for (const Method* method : methods) {
    if (!method->refine) continue;
    method->refine(network,
                   {good ? &*good : nullptr, settings, progress, network.methods, &reference});
  }
  network.calibration = report_on(network, observed, settings);
  if (deployment.form.io != Io::Float) describe_ends(network, observed.pixels);
  return network;
}

QuantizedNetwork quantize_network(Graph graph, const Deployment& deployment,
                                  const CalibrationImages& images,
                                  const CalibrationSettings& settings,
                                  const ProgressSink& progress) {
  return solve_network(observe_network(std::move(graph), deployment, images, settings, progress),
                       deployment, settings, &images, progress);
}

std::vector<std::string> notes_on(const QuantizedNetwork& network, const TargetSet& targets) {
  std::vector<std::string> notes = network.calibration.notes();
  notes.insert(notes.end(), network.methods.begin(), network.methods.end());
  notes.insert(notes.end(), network.ends.begin(), network.ends.end());
  if (targets.narrow_sums()) {
    notes.push_back(describe_margins(network.graph, pair_margins(network.graph, network.table)));
  }
  return notes;
}

QuantizedNetwork fuse_for_weights(Graph graph, const Deployment& deployment) {
  QuantizedNetwork network{.graph = std::move(graph),
                           .placement = {},
                           .table = {},
                           .log = {},
                           .in_float = {},
                           .targets = deployment.targets.names(),
                           .form = deployment.form,
                           .ends = {},
                           .methods = {},
                           .calibration = {}};
  network.log = simplify(network.graph);
  refuse_empty_values(network.graph);
  const bool lite = std::ranges::any_of(
      deployment.targets.profiles(),
      [](const TargetProfile* target) { return target->extension == ".tflite"; });
  const auto known = [&](std::string_view op) { return !lite || writes_dynamic_tflite(op); };
  std::ranges::move(lower(network.graph, known), std::back_inserter(network.log));
  network.placement.scheme = deployment.scheme;
  return network;
}

QuantizedNetwork quantize_weights(Graph graph, const Deployment& deployment) {
  QuantizedNetwork network = fuse_for_weights(std::move(graph), deployment);
  network.table = dynamic_table(network.graph, deployment.targets);
  return network;
}

namespace {

std::vector<std::byte> write_octet(const Graph& graph, const QuantTable& table,
                                   const FileForm& form) {
  return write_network(graph, table, form.properties);
}

}  // namespace

std::vector<std::byte> quantized_file(const QuantizedNetwork& network,
                                      const std::filesystem::path& path) {
  using Write = std::vector<std::byte> (*)(const Graph&, const QuantTable&, const FileForm&);
  struct Format {
    std::string_view extension;
    Write write;
    Write write_dynamic;
  };
  static constexpr std::array kFormats{Format{".onnx", write_onnx, write_dynamic_onnx},
                                       Format{".tflite", write_tflite, write_dynamic_tflite},
                                       Format{".octet", write_octet, write_octet}};
  FileForm form = network.form;
  form.properties = {{"octet.targets", join(network.targets, ",")},
                     {"octet.scheme", scheme_text(network.placement.scheme)},
                     {"octet.overrides", overrides_text(network.overrides)},
                     {"octet.io", io_text(network.form.io)},
                     {"octet.form", form_text(network.form.onnx)},
                     {"octet.seed", std::to_string(network.seed)}};
  if (!network.prepared.empty()) form.properties["octet.prepared"] = network.prepared;
  std::erase_if(form.properties, [](const auto& property) { return property.second.empty(); });
  const Scheme::Ranges ranges = network.placement.scheme.ranges;
  if (ranges == Scheme::Ranges::WeightOnly) {
    return write_weight_only_onnx(network.graph, network.groups, form);
  }
  for (const Format& format : kFormats) {
    if (path.extension() != format.extension) continue;
    const bool dynamic = ranges == Scheme::Ranges::Dynamic;
    return (dynamic ? format.write_dynamic : format.write)(network.graph, network.table, form);
  }
  fail(Code::Usage, "{}: the format is told by the extension; wanted .onnx, .tflite or .octet",
       path.string());
}

}  // namespace octet
