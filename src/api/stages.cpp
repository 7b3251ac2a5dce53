#include "api/stages.h"

#include <algorithm>
#include <array>

#include "api/foreign.h"
#include "api/lower_to_16_bits.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/text.h"
#include "engine/executor.h"
#include "formats/onnx/network_file.h"
#include "formats/onnx/onnx_file.h"
#include "formats/tflite/writer.h"
#include "quant/calibrate.h"
#include "quant/channels/prepared.h"
#include "quant/dynamic.h"
#include "quant/float_parts.h"
#include "quant/saturation.h"
#include "quant/scheme_text.h"
#include "quant/solve.h"
#include "quant/widths.h"

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

namespace {

/// What every way begins with.
QuantizedNetwork fused(Graph graph, const Deployment& deployment) {
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
  return network;
}

}  // namespace

QuantizedNetwork place_network(Graph graph, const Deployment& deployment, const Prepare& prepare) {
  QuantizedNetwork network = fused(std::move(graph), deployment);
  if (prepare) {
    const PreparedStructure before(network.graph);
    prepare(network.graph, network.methods);
    network.prepared = before.changes(network.graph);
  }
  const auto supported = [&](std::string_view op) { return deployment.targets.supports(op); };
  std::ranges::move(lower(network.graph, supported), std::back_inserter(network.log));
  network.overrides = deployment.overrides;
  place_nodes(network, deployment);
  return network;
}

bool place_nodes(QuantizedNetwork& network, const Deployment& deployment) {
  Graph& graph = network.graph;
  const auto& [targets, scheme, unused, form] = deployment;
  const bool lowered = lower_to_16_bits(graph, targets, scheme, network.overrides);
  copy_between_widths(graph, targets, scheme, network.overrides, form.io);
  network.placement = place(graph, targets, scheme, {}, network.overrides, form.io);
  network.in_float = lines_in_float(graph, network.placement);
  return lowered;
}

void refuse_float(const QuantizedNetwork& network, const TargetSet& targets) {
  const auto chosen = chosen_by_node(network.graph, network.overrides);
  const std::set<NodeId> asked = asked_for(network.graph, chosen, Override::Compute::Float);
  const std::set<NodeId> wide = nodes_on_16_bits(network.graph, network.placement.scheme, chosen);
  for (const auto& [id, reason] : network.placement.in_float) {
    for (const TargetProfile* target : targets.profiles()) {
      if (target->float_nodes == FloatNodes::Any) continue;
      if (target->float_nodes == FloatNodes::Asked && asked.contains(id)) continue;
      if (wide.contains(id)) {
        const Node& node = network.graph.node(id);
        fail(Code::Unsupported, "{}: {}; leave it on 8 bits: '{}=int8', after other overrides",
             describe(node), reason, node.name);
      }
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
  QuantizedNetwork network = fused(std::move(graph), deployment);
  const bool lite = std::ranges::any_of(
      deployment.targets.profiles(),
      [](const TargetProfile* target) { return target->extension == ".tflite"; });
  const auto known = [&](std::string_view op) { return !lite || writes_real_tflite(op); };
  std::ranges::move(lower(network.graph, known), std::back_inserter(network.log));
  network.placement.scheme = deployment.scheme;
  return network;
}

QuantizedNetwork quantize_weights(Graph graph, const Deployment& deployment) {
  QuantizedNetwork network = fuse_for_weights(std::move(graph), deployment);
  network.placement = place_dynamically(network.graph, deployment.targets, deployment.scheme);
  network.table = solve(network.graph, network.placement, {});
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
