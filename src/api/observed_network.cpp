#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

#include "api/bad_images.h"
#include "api/calibration_file.h"
#include "api/calibration_report.h"
#include "api/methods.h"
#include "api/stages.h"
#include "base/fail.h"
#include "graph/fingerprint.h"
#include "quant/apart_from_weights.h"
#include "quant/observer.h"
#include "quant/ratio.h"
#include "quant/solve.h"

namespace octet {

namespace {

/// "+ 3" or "- 3".
std::string signed_text(int32_t number) {
  return std::format("{} {}", number < 0 ? '-' : '+', std::abs(number));
}

}  // namespace

void describe_ends(QuantizedNetwork& network) {
  network.ends.clear();
  if (network.form.io == Io::Float) return;
  const std::string_view type = network.form.io == Io::UInt8 ? "uint8" : "int8";
  for (const ValueId id : network.graph.inputs()) {
    const QuantParams grid = end_grid(network.table.at(id, network.graph), network.form.io);
    network.ends.push_back(std::format("the input '{}' is {}: round(real / {}) {}{}",
                                       network.graph.value(id).name, type, grid.scale[0],
                                       signed_text(grid.zero_point[0]), network.pixels));
  }
  for (const ValueId id : network.graph.outputs()) {
    const QuantParams grid = end_grid(network.table.at(id, network.graph), network.form.io);
    network.ends.push_back(std::format("the output '{}' is {}: real = {} * (integer {})",
                                       network.graph.value(id).name, type, grid.scale[0],
                                       signed_text(-grid.zero_point[0])));
  }
}

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

Calibration look_at(const Graph& graph, const Placement& placement, const CalibrationImages& images,
                    const CalibrationSettings& settings, const ProgressSink& progress) {
  ImageStream stream(images.dataset, images.split, settings, progress);
  const NextImages next = [&](std::vector<float>& batch) { return stream.next(batch); };
  return observe(graph, placement, next, stream.bad_images());
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

/// What methods made of the network: their names, and its constants.
std::string print_of(std::span<const Method* const> methods, const Graph& fused) {
  std::string print;
  for (const Method* method : methods) {
    if (method->prepare) print += std::format(" with {}", method->name);
  }
  return print.empty() ? print : std::format("{} ({:.6g})", print, sum_of_constants(fused));
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
    run_preparing(methods, fused, {images, settings, progress, notes});
    print += print_of(methods, fused);
  };
  ObservedNetwork observed{.network = place_network(std::move(graph), deployment, prepare),
                           .seen = {.sketches = {}, .network = std::move(print)},
                           .held = {},
                           .pixels = {}};
  refuse_float(observed.network, deployment.targets);
  return observed;
}

/// The look at images that the ranges are tried on.
Calibration look_at_held(const QuantizedNetwork& network, const CalibrationImages& images,
                         CalibrationSettings settings) {
  settings.images = settings.held_back;
  const Split held{.train = images.split.validation, .validation = {}};
  if (settings.images == 0 || held.train.empty()) return {};
  const ProgressSink quiet;
  return look_at(network.graph, network.placement, {images.dataset, images.source, held}, settings,
                 quiet);
}

}  // namespace

ObservedNetwork observe_network(Graph graph, const Deployment& deployment,
                                const CalibrationImages& images,
                                const CalibrationSettings& settings, const ProgressSink& progress) {
  check_input(graph, images.dataset);  // before anything of that size is computed
  ObservedNetwork observed = prepared(std::move(graph), deployment, settings, &images, progress);
  QuantizedNetwork& network = observed.network;
  if (deployment.form.io != Io::Float) observed.pixels = pixels_of_input(network, images.source);

  Calibration seen = look_at(network.graph, network.placement, images, settings, progress);
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

void solve_apart(QuantizedNetwork& network, const Deployment& deployment,
                 const CalibrationImages& images, const CalibrationSettings& settings,
                 const ProgressSink& progress) {
  const Graph& graph = network.graph;
  const Placement& placement = network.placement;
  const Calibration seen = look_at(graph, placement, images, settings, progress);
  const QuantTable fresh = solve(graph, placement, choose_ranges(placement, seen, settings));
  for (const size_t group : groups_apart_from_weights(graph, placement)) {
    for (const ValueId id : placement.groups[group].members) {
      network.table.set(id, fresh.at(id, graph));
    }
  }
  solve_derived(graph, placement, network.table);
  check_ratios(graph, network.table, deployment.targets);
}

QuantizedNetwork solve_network(ObservedNetwork observed, const Deployment& deployment,
                               const CalibrationSettings& settings, const CalibrationImages* images,
                               const ProgressSink& progress) {
  const auto methods = methods_named(settings.methods, images != nullptr);
  refuse_methods(methods, deployment.scheme);
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
  const Graph reference = methods.empty() ? Graph() : network.graph;
  for (const Method* method : methods) {
    if (!method->refine) continue;
    method->refine(network, {.images = good ? &*good : nullptr,
                             .settings = settings,
                             .progress = progress,
                             .notes = network.methods,
                             .reference = &reference,
                             .seen = &observed.seen});
  }
  network.calibration = report_on(network, observed, settings);
  network.pixels = observed.pixels;
  describe_ends(network);
  return network;
}

QuantizedNetwork quantize_network(Graph graph, const Deployment& deployment,
                                  const CalibrationImages& images,
                                  const CalibrationSettings& settings,
                                  const ProgressSink& progress) {
  return solve_network(observe_network(std::move(graph), deployment, images, settings, progress),
                       deployment, settings, &images, progress);
}

}  // namespace octet
