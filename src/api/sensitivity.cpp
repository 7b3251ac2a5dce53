#include "api/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "api/certify.h"
#include "api/methods.h"
#include "base/fail.h"
#include "quant/observer.h"
#include "quant/sensitivity.h"

namespace octet {
namespace {

/// Noise that is no number (a layer that overflows when it is rounded) is more than any other.
double finite(double noise) { return std::isfinite(noise) ? noise : 1e300; }

LayerSensitivity described(const Graph& graph, const Layer& layer, const LayerNoise& noise,
                           int64_t images) {
  LayerSensitivity found{.name = layer.name, .op = layer.op, .result = {}, .weight = {}};
  if (!layer.results.empty()) found.result = graph.value(layer.results[0]).name;
  if (layer.weight != kAbsent) {
    found.weight = graph.value(layer.weight).name;
    found.weight_sqnr = noise.weight.sqnr();
  }
  found.result_sqnr = noise.result.sqnr();
  found.logits_sqnr = noise.logits.sqnr();
  found.divergence = noise.divergence / static_cast<double>(images);
  found.changed = 100.0 * static_cast<double>(noise.changed) / static_cast<double>(images);
  return found;
}

/// Says of each layer which others read what it makes. `layers` and `found` are the same, but for
/// the input.
void note_readers(const Graph& graph, const std::vector<Layer>& layers,
                  std::vector<RankedLayer>& found) {
  std::map<ValueId, size_t> maker;
  size_t place = 0;
  for (const Layer& layer : layers) {
    if (layer.nodes.empty()) continue;
    std::set<size_t> read;
    for (const NodeId id : layer.nodes) {
      for (const ValueId in : graph.node(id).inputs) {
        if (const auto it = maker.find(in); it != maker.end()) read.insert(it->second);
      }
      for (const ValueId out : graph.node(id).outputs) {
        if (out != kAbsent) maker[out] = place;
      }
    }
    read.erase(place);
    for (const size_t other : read) found[other].readers.push_back(place);
    ++place;
  }
}

std::vector<RankedLayer> ranked(const Graph& graph, const std::vector<Layer>& layers,
                                const NetworkNoise& noise) {
  std::vector<size_t> block_of(layers.size());
  const auto blocks = blocks_of(graph, layers);
  for (size_t b = 0; b < blocks.size(); ++b) {
    for (const size_t index : blocks[b]) block_of[index] = b;
  }
  const ValueId input = graph.inputs().at(0);
  double of_input = 0;
  std::vector<RankedLayer> found;
  for (size_t i = 0; i < layers.size(); ++i) {
    const double own = finite(noise.layers[i].logits.noise);
    if (layers[i].nodes.empty()) {
      of_input += own;
      continue;
    }
    const bool reads = std::ranges::any_of(layers[i].nodes, [&](NodeId id) {
      return std::ranges::contains(graph.node(id).inputs, input);
    });
    found.push_back(
        {.name = layers[i].name, .noise = own + (reads ? of_input : 0), .block = block_of[i]});
  }
  note_readers(graph, layers, found);
  return found;
}

}  // namespace

MeasuredLayers measure_layers(AssignedNetworks& networks, const Assignment& assignment,
                              const NoiseImages& images, const ProgressSink& progress) {
  const QuantizedNetwork network = networks.make(assignment, progress);
  const std::vector<Layer>& layers = networks.layers(assignment, progress);
  std::vector<int64_t> taken = images_to_verify(images.parts, images.count);
  Step step(progress, "sensitivity", std::ssize(taken), "images");
  BatchReader reader(images.dataset, std::move(taken), {.size = images_at_once(network.graph)});
  Batch batch;
  const NextImages next = [&](std::vector<float>& pixels) -> int64_t {
    if (batch.count > 0) step.advance(batch.count);
    if (!reader.next(batch)) return 0;
    pixels = batch.images;
    return batch.count;
  };
  const NetworkNoise noise =
      measure_noise(network.graph, network.placement, network.table, layers, next);

  MeasuredLayers found{
      .worst_first = {}, .in_order = ranked(network.graph, layers, noise), .images = noise.images};
  double all = 0;
  for (const LayerNoise& layer : noise.layers) all += finite(layer.logits.noise);
  for (size_t i = 0; i < layers.size(); ++i) {
    LayerSensitivity row = described(network.graph, layers[i], noise.layers[i], noise.images);
    row.share = all > 0 ? 100 * finite(noise.layers[i].logits.noise) / all : 0;
    found.worst_first.push_back(std::move(row));
  }
  std::ranges::stable_sort(found.worst_first, std::greater(), &LayerSensitivity::share);
  return found;
}

Sensitivity sensitivity(const std::filesystem::path& model, const std::filesystem::path& data,
                        const SensitivityOptions& options, const ProgressSink& progress) {
  if (options.images < 1 || options.calibration_images < 1) {
    fail(Code::Usage, "{} images and {} calibration images; wanted 1 or more", options.images,
         options.calibration_images);
  }
  const AssignedSettings settings{
      .deployment = {.targets = {options.target},
                     .weights = options.weights,
                     .activations = options.activations},
      .calibration = {.images = options.calibration_images, .observer = options.observer}};
  const Assignment assignment{
      .observer = options.observer,
      .methods = options.methods,
      .activation_bits = deployment_of(settings.deployment).scheme.activation_bits};
  observer_named(settings.calibration);
  methods_named(options.methods, true);
  const DataRecipe recipe = read_data(data);
  const auto dataset = open_part(recipe.train, "train");
  const Split parts = split(*dataset, recipe.validation, options.seed);
  AssignedNetworks networks(read_network(model, parse_input_shapes(options.shapes)),
                            {*dataset, *recipe.train, parts}, settings);
  MeasuredLayers measured =
      measure_layers(networks, assignment, {*dataset, parts, options.images}, progress);
  return {.model = model.string(),
          .target = options.target,
          .observer = options.observer,
          .images = measured.images,
          .layers = std::move(measured.worst_first)};
}

}  // namespace octet
